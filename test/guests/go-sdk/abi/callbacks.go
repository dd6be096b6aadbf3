// Package abi runs the SDK on Go's own compiler. The SDK is written for TinyGo, whose exports and
// imports Go does not know; the seam that it has for tests carries every callback and call as well.
package abi

import (
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal"
)

func init() { internal.RegisterMockWasmHost(host{}) }

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

// What the host has asked for and not yet handed back; the collector must not free it.
var handedOut = map[unsafe.Pointer][]byte{}

//go:wasmexport proxy_on_memory_allocate
func onMemoryAllocate(size uint32) unsafe.Pointer {
	block := make([]byte, size)
	address := unsafe.Pointer(unsafe.SliceData(block))
	handedOut[address] = block
	return address
}

//go:wasmexport proxy_on_vm_start
func onVMStart(root, size uint32) uint32 {
	return one(bool(internal.ProxyOnVMStart(root, int(size))))
}

//go:wasmexport proxy_on_configure
func onConfigure(root, size uint32) uint32 {
	return one(bool(internal.ProxyOnConfigure(root, int(size))))
}

//go:wasmexport proxy_on_context_create
func onContextCreate(id, parent uint32) { internal.ProxyOnContextCreate(id, parent) }

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, count, end uint32) uint32 {
	return uint32(internal.ProxyOnRequestHeaders(id, int(count), end != 0))
}

//go:wasmexport proxy_on_request_body
func onRequestBody(id, size, end uint32) uint32 {
	return uint32(internal.ProxyOnRequestBody(id, int(size), end != 0))
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(id, count uint32) uint32 {
	return uint32(internal.ProxyOnRequestTrailers(id, int(count)))
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(id, count, end uint32) uint32 {
	return uint32(internal.ProxyOnResponseHeaders(id, int(count), end != 0))
}

//go:wasmexport proxy_on_response_body
func onResponseBody(id, size, end uint32) uint32 {
	return uint32(internal.ProxyOnResponseBody(id, int(size), end != 0))
}

//go:wasmexport proxy_on_response_trailers
func onResponseTrailers(id, count uint32) uint32 {
	return uint32(internal.ProxyOnResponseTrailers(id, int(count)))
}

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(root, call, headers, size, trailers uint32) {
	internal.ProxyOnHttpCallResponse(root, call, int(headers), int(size), int(trailers))
}

//go:wasmexport proxy_on_queue_ready
func onQueueReady(root, queue uint32) { internal.ProxyOnQueueReady(root, queue) }

//go:wasmexport proxy_on_tick
func onTick(root uint32) { internal.ProxyOnTick(root) }

//go:wasmexport proxy_on_log
func onLog(id uint32) { internal.ProxyOnLog(id) }

//go:wasmexport proxy_on_done
func onDone(id uint32) uint32 { return one(internal.ProxyOnDone(id)) }

//go:wasmexport proxy_on_delete
func onDelete(id uint32) { internal.ProxyOnDelete(id) }

func one(yes bool) uint32 {
	if yes {
		return 1
	}
	return 0
}
