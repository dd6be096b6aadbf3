package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// Leaves the length alone on purpose: it is the host that corrects it.
type appender struct {
	types.DefaultHttpContext
	toRequest bool
	text      string
}

func (stream *appender) OnHttpRequestBody(_ int, end bool) types.Action {
	if stream.toRequest && end {
		stream.check(proxywasm.AppendHttpRequestBody([]byte(stream.text)))
	}
	return types.ActionContinue
}

func (stream *appender) OnHttpResponseBody(size int, end bool) types.Action {
	if stream.toRequest {
		return types.ActionContinue
	}
	if !end {
		return types.ActionPause
	}
	// Without a byte there is nothing to get, which the SDK takes for an error.
	bytes, _ := proxywasm.GetHttpResponseBody(0, size)
	stream.check(proxywasm.ReplaceHttpResponseBody(append(bytes, stream.text...)))
	return types.ActionContinue
}

func (*appender) check(err error) {
	if err != nil {
		proxywasm.LogErrorf("Cannot change the body: %v", err)
	}
}
