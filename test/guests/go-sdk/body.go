package main

import (
	"fmt"
	"strings"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

type body struct {
	types.DefaultHttpContext
	word string
}

func (*body) OnHttpResponseHeaders(int, bool) types.Action {
	if err := proxywasm.RemoveHttpResponseHeader("content-length"); err != nil {
		proxywasm.LogErrorf("Cannot remove the length: %v", err)
	}
	return types.ActionContinue
}

func (stream *body) OnHttpResponseBody(size int, end bool) types.Action {
	if !end {
		return types.ActionPause
	}
	// Without a byte there is nothing to get, which the SDK takes for an error.
	bytes, err := proxywasm.GetHttpResponseBody(0, size)
	if err != nil || !strings.Contains(string(bytes), stream.word) {
		return types.ActionContinue
	}
	instead := fmt.Sprintf("withheld: %d bytes\n", size)
	if err := proxywasm.ReplaceHttpResponseBody([]byte(instead)); err != nil {
		proxywasm.LogErrorf("Cannot replace the body: %v", err)
	}
	return types.ActionContinue
}
