// Small filters on the SDK for Go; the first word of the configuration says which one.
//
//	hello MILLISECONDS           logs a greeting at the start, and a number at each tick
//	headers                      logs all headers, and answers /hello itself
//	body WORD                    withholds bodies of responses that have the word in them
//	config VALUE                 adds the value to responses, as x-configured
//	append request|response TEXT puts the text behind the body
//	auth UPSTREAM                one byte of the upstream decides who may pass
package main

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	_ "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/guests/abi"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

func init() { proxywasm.SetVMContext(&vm{}) }

// Nobody calls it: the host calls the exports.
func main() {}

type vm struct{ types.DefaultVMContext }

func (*vm) OnVMStart(int) types.OnVMStartStatus {
	proxywasm.LogInfo("Hello from Go")
	return types.OnVMStartStatusOK
}

func (*vm) NewPluginContext(uint32) types.PluginContext { return &root{} }

type root struct {
	types.DefaultPluginContext
	create func(id uint32) types.HttpContext
}

func (root *root) OnPluginStart(int) types.OnPluginStartStatus {
	text, err := proxywasm.GetPluginConfiguration()
	if err != nil || !root.choose(string(text)) {
		proxywasm.LogErrorf(
			"Cannot read the configuration %q: it names none of these filters", text)
		return types.OnPluginStartStatusFailed
	}
	// A collection that has begun would go on in the first request, and in every copy of this guest.
	runtime.GC()
	return types.OnPluginStartStatusOK
}

func (root *root) choose(configuration string) bool {
	word, rest, _ := strings.Cut(configuration, " ")
	switch word {
	case "hello":
		period, err := strconv.ParseUint(rest, 10, 32)
		if err != nil || proxywasm.SetTickPeriodMilliSeconds(uint32(period)) != nil {
			return false
		}
		root.create = func(uint32) types.HttpContext { return &types.DefaultHttpContext{} }
	case "headers":
		root.create = func(id uint32) types.HttpContext { return &headers{id: id} }
	case "body":
		root.create = func(uint32) types.HttpContext { return &body{word: rest} }
	case "config":
		root.create = func(uint32) types.HttpContext { return &config{value: rest} }
	case "append":
		direction, text, found := strings.Cut(rest, " ")
		if !found || direction != "request" && direction != "response" {
			return false
		}
		root.create = func(uint32) types.HttpContext {
			return &appender{toRequest: direction == "request", text: text}
		}
	case "auth":
		root.create = func(uint32) types.HttpContext { return &auth{upstream: rest} }
	default:
		return false
	}
	return true
}

func (*root) OnTick() { proxywasm.LogInfo(tickLine()) }

func (root *root) NewHttpContext(id uint32) types.HttpContext { return root.create(id) }
