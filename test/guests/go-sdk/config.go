package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

type config struct {
	types.DefaultHttpContext
	value string
}

func (stream *config) OnHttpResponseHeaders(int, bool) types.Action {
	if err := proxywasm.AddHttpResponseHeader("x-configured", stream.value); err != nil {
		proxywasm.LogErrorf("Cannot add a header: %v", err)
	}
	return types.ActionContinue
}
