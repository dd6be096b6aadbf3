package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

type headers struct {
	types.DefaultHttpContext
	id uint32
}

func (stream *headers) OnHttpRequestHeaders(int, bool) types.Action {
	stream.logAll(">", proxywasm.GetHttpRequestHeaders)
	if path, err := proxywasm.GetHttpRequestHeader(":path"); err != nil || path != "/hello" {
		return types.ActionContinue
	}
	reply := [][2]string{{"x-answered-by", "go"}}
	if err := proxywasm.SendHttpResponse(200, reply, []byte("Hello from Go\n"), -1); err != nil {
		proxywasm.LogErrorf("Cannot answer: %v", err)
	}
	return types.ActionPause
}

func (stream *headers) OnHttpResponseHeaders(int, bool) types.Action {
	stream.logAll("<", proxywasm.GetHttpResponseHeaders)
	return types.ActionContinue
}

func (stream *headers) OnHttpStreamDone() { proxywasm.LogInfof("#%d is over", stream.id) }

func (stream *headers) logAll(direction string, read func() ([][2]string, error)) {
	pairs, err := read()
	if err != nil {
		proxywasm.LogErrorf("Cannot read the headers: %v", err)
	}
	for _, pair := range pairs {
		proxywasm.LogInfof("#%d %s %s: %s", stream.id, direction, pair[0], pair[1])
	}
}
