package abi

import (
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal"
)

// Calls the real host where the SDK thinks that it calls a stand-in.
type host struct{}

var _ internal.ProxyWasmHost = host{}

func address(bytes *byte) unsafe.Pointer { return unsafe.Pointer(bytes) }

// Addresses in the guest's memory are 32 bits wide, Go's pointers 64.
type outPointers struct {
	address uint32
	size    uint32
}

// Calls with a place for what the host hands over, which is the SDK's from then on.
func received(
	data **byte, size *int, call func(data, size unsafe.Pointer) uint32,
) internal.Status {
	out := new(outPointers)
	status := call(unsafe.Pointer(&out.address), unsafe.Pointer(&out.size))
	*data, *size = nil, int(out.size)
	if out.size > 0 {
		at := unsafe.Pointer(uintptr(out.address))
		*data = unsafe.SliceData(handedOut[at])
		delete(handedOut, at)
	}
	return internal.Status(status)
}

func (host) ProxyLog(level internal.LogLevel, message *byte, size int) internal.Status {
	return internal.Status(proxyLog(uint32(level), address(message), uint32(size)))
}

func (host) ProxySetProperty(path *byte, size int, value *byte, valueSize int) internal.Status {
	return internal.Status(
		proxySetProperty(address(path), uint32(size), address(value), uint32(valueSize)))
}

func (host) ProxyGetProperty(path *byte, size int, data **byte, dataSize *int) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyGetProperty(address(path), uint32(size), data, dataSize)
	})
}

func (host) ProxySendLocalResponse(
	status uint32, details *byte, detailsSize int, body *byte, bodySize int,
	headers *byte, headersSize int, grpcStatus int32,
) internal.Status {
	return internal.Status(proxySendLocalResponse(
		status, address(details), uint32(detailsSize), address(body), uint32(bodySize),
		address(headers), uint32(headersSize), grpcStatus))
}

func (host) ProxyGetSharedData(
	key *byte, size int, data **byte, dataSize *int, cas *uint32,
) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyGetSharedData(address(key), uint32(size), data, dataSize, unsafe.Pointer(cas))
	})
}

func (host) ProxySetSharedData(
	key *byte, size int, value *byte, valueSize int, cas uint32,
) internal.Status {
	return internal.Status(
		proxySetSharedData(address(key), uint32(size), address(value), uint32(valueSize), cas))
}

func (host) ProxyRegisterSharedQueue(name *byte, size int, id *uint32) internal.Status {
	return internal.Status(
		proxyRegisterSharedQueue(address(name), uint32(size), unsafe.Pointer(id)))
}

func (host) ProxyResolveSharedQueue(
	vm *byte, vmSize int, name *byte, size int, id *uint32,
) internal.Status {
	return internal.Status(proxyResolveSharedQueue(
		address(vm), uint32(vmSize), address(name), uint32(size), unsafe.Pointer(id)))
}

func (host) ProxyDequeueSharedQueue(id uint32, data **byte, dataSize *int) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyDequeueSharedQueue(id, data, dataSize)
	})
}

func (host) ProxyEnqueueSharedQueue(id uint32, value *byte, size int) internal.Status {
	return internal.Status(proxyEnqueueSharedQueue(id, address(value), uint32(size)))
}

func (host) ProxyGetHeaderMapValue(
	kind internal.MapType, name *byte, size int, data **byte, dataSize *int,
) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyGetHeaderMapValue(uint32(kind), address(name), uint32(size), data, dataSize)
	})
}

func (host) ProxyAddHeaderMapValue(
	kind internal.MapType, name *byte, size int, value *byte, valueSize int,
) internal.Status {
	return internal.Status(proxyAddHeaderMapValue(
		uint32(kind), address(name), uint32(size), address(value), uint32(valueSize)))
}

func (host) ProxyReplaceHeaderMapValue(
	kind internal.MapType, name *byte, size int, value *byte, valueSize int,
) internal.Status {
	return internal.Status(proxyReplaceHeaderMapValue(
		uint32(kind), address(name), uint32(size), address(value), uint32(valueSize)))
}

func (host) ProxyRemoveHeaderMapValue(
	kind internal.MapType, name *byte, size int,
) internal.Status {
	return internal.Status(proxyRemoveHeaderMapValue(uint32(kind), address(name), uint32(size)))
}

func (host) ProxyGetHeaderMapPairs(
	kind internal.MapType, data **byte, dataSize *int,
) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyGetHeaderMapPairs(uint32(kind), data, dataSize)
	})
}

func (host) ProxySetHeaderMapPairs(kind internal.MapType, pairs *byte, size int) internal.Status {
	return internal.Status(proxySetHeaderMapPairs(uint32(kind), address(pairs), uint32(size)))
}

func (host) ProxyGetBufferBytes(
	kind internal.BufferType, start, max int, data **byte, dataSize *int,
) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyGetBufferBytes(uint32(kind), uint32(start), uint32(max), data, dataSize)
	})
}

func (host) ProxySetBufferBytes(
	kind internal.BufferType, start, max int, data *byte, size int,
) internal.Status {
	return internal.Status(proxySetBufferBytes(
		uint32(kind), uint32(start), uint32(max), address(data), uint32(size)))
}

func (host) ProxyContinueStream(kind internal.StreamType) internal.Status {
	return internal.Status(proxyContinueStream(uint32(kind)))
}

func (host) ProxyCloseStream(kind internal.StreamType) internal.Status {
	return internal.Status(proxyCloseStream(uint32(kind)))
}

func (host) ProxyHttpCall(
	upstream *byte, upstreamSize int, headers *byte, headersSize int, body *byte, bodySize int,
	trailers *byte, trailersSize int, timeout uint32, id *uint32,
) internal.Status {
	return internal.Status(proxyHTTPCall(
		address(upstream), uint32(upstreamSize), address(headers), uint32(headersSize),
		address(body), uint32(bodySize), address(trailers), uint32(trailersSize),
		timeout, unsafe.Pointer(id)))
}

func (host) ProxyCallForeignFunction(
	name *byte, size int, argument *byte, argumentSize int, data **byte, dataSize *int,
) internal.Status {
	return received(data, dataSize, func(data, dataSize unsafe.Pointer) uint32 {
		return proxyCallForeignFunction(
			address(name), uint32(size), address(argument), uint32(argumentSize), data, dataSize)
	})
}

func (host) ProxySetTickPeriodMilliseconds(period uint32) internal.Status {
	return internal.Status(proxySetTickPeriodMilliseconds(period))
}

func (host) ProxySetEffectiveContext(id uint32) internal.Status {
	return internal.Status(proxySetEffectiveContext(id))
}

func (host) ProxyDone() internal.Status { return internal.Status(proxyDone()) }

func (host) ProxyDefineMetric(
	kind internal.MetricType, name *byte, size int, id *uint32,
) internal.Status {
	return internal.Status(
		proxyDefineMetric(uint32(kind), address(name), uint32(size), unsafe.Pointer(id)))
}

func (host) ProxyIncrementMetric(id uint32, offset int64) internal.Status {
	return internal.Status(proxyIncrementMetric(id, offset))
}

func (host) ProxyRecordMetric(id uint32, value uint64) internal.Status {
	return internal.Status(proxyRecordMetric(id, value))
}

func (host) ProxyGetMetric(id uint32, value *uint64) internal.Status {
	return internal.Status(proxyGetMetric(id, unsafe.Pointer(value)))
}
