// Counts the bytes of all names and values of a request's headers, and says the sum in a header of
// the response.
//
//	configuration: name of that header, "x-header-bytes" when there is none
package main

import (
	"guests/proxywasm"
	"strconv"
)

var headerName = "x-header-bytes"

// Sum of the streams whose request headers have been read.
var headerBytes = map[uint32]int{}

//go:wasmexport proxy_on_configure
func onConfigure(_ uint32, size uint32) uint32 {
	if configured := proxywasm.PluginConfiguration(size); configured != "" {
		headerName = configured
	}
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(stream, _, _ uint32) uint32 {
	pairs, err := proxywasm.HeaderPairs(proxywasm.RequestHeaders)
	if err != nil {
		proxywasm.LogError("Cannot read the request's headers: " + err.Error())
		return proxywasm.Continue
	}
	sum := 0
	for _, pair := range pairs {
		sum += len(pair[0]) + len(pair[1])
	}
	headerBytes[stream] = sum
	return proxywasm.Continue
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(stream, _, _ uint32) uint32 {
	if sum, found := headerBytes[stream]; found {
		proxywasm.AddHeader(proxywasm.ResponseHeaders, headerName, strconv.Itoa(sum))
	}
	return proxywasm.Continue
}

//go:wasmexport proxy_on_delete
func onDelete(stream uint32) { delete(headerBytes, stream) }

func main() {}
