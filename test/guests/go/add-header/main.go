// Adds "x-guest: go" to responses, and to requests the header that the configuration says.
//
//	configuration: NAME ":" VALUE, blanks around both are left out
package main

import (
	"bytes"
	"guests/proxywasm"
	"runtime"
	"strings"
)

// Stands for what a larger plugin keeps, such as rules or addresses: memory that belongs to the
// configuration and that requests hardly touch.
var table = bytes.Repeat([]byte("a rule, "), 1<<20)

var requestHeader struct{ name, value string }

//go:wasmexport proxy_on_configure
func onConfigure(_ uint32, size uint32) uint32 {
	name, value, found := strings.Cut(proxywasm.PluginConfiguration(size), ":")
	name = strings.TrimSpace(name)
	if !found || name == "" {
		proxywasm.LogError("Cannot read the configuration: it is not NAME: VALUE")
		return 0
	}
	requestHeader.name = name
	requestHeader.value = strings.TrimSpace(value)
	// A collection that has begun would go on in the first request, and in every copy of this guest.
	runtime.GC()
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(_, _, _ uint32) uint32 {
	proxywasm.AddHeader(proxywasm.RequestHeaders, requestHeader.name, requestHeader.value)
	return proxywasm.Continue
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(_, _, _ uint32) uint32 {
	proxywasm.AddHeader(proxywasm.ResponseHeaders, "x-guest", "go")
	return proxywasm.Continue
}

func main() { runtime.KeepAlive(table) }
