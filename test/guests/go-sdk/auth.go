package main

import (
	"fmt"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

const timeoutMilliseconds = 5000

type auth struct {
	types.DefaultHttpContext
	upstream string
}

func (stream *auth) OnHttpRequestHeaders(int, bool) types.Action {
	headers := [][2]string{
		{":method", "GET"}, {":path", "/bytes/1"}, {":authority", stream.upstream},
	}
	_, err := proxywasm.DispatchHttpCall(
		stream.upstream, headers, nil, nil, timeoutMilliseconds, stream.decide)
	if err != nil {
		stream.deny(fmt.Sprintf("the call was refused: %v", err))
	}
	return types.ActionPause
}

func (stream *auth) decide(headers, size, _ int) {
	if headers == 0 {
		stream.deny("the call has failed")
		return
	}
	bytes, err := proxywasm.GetHttpCallResponseBody(0, size)
	if err != nil || bytes[0]%2 == 1 {
		stream.deny("the byte is odd")
		return
	}
	proxywasm.LogInfo("May pass")
	if err := proxywasm.ResumeHttpRequest(); err != nil {
		proxywasm.LogErrorf("Cannot resume: %v", err)
	}
}

func (*auth) OnHttpResponseHeaders(int, bool) types.Action {
	if err := proxywasm.ReplaceHttpResponseHeader("x-gate", "go"); err != nil {
		proxywasm.LogErrorf("Cannot set a header: %v", err)
	}
	return types.ActionContinue
}

func (*auth) deny(reason string) {
	proxywasm.LogInfof("May not pass: %s", reason)
	headers := [][2]string{{"x-gate", "go"}}
	err := proxywasm.SendHttpResponse(403, headers, []byte("May not pass\n"), -1)
	if err != nil {
		proxywasm.LogErrorf("Cannot answer: %v", err)
	}
}
