// Package proxywasm has what these guests use of the Proxy-Wasm ABI 0.2.1.
package proxywasm

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// Map says which headers.
type Map uint32

const (
	RequestHeaders  Map = 0
	ResponseHeaders Map = 2
)

// Continue lets the exchange go on.
const Continue uint32 = 0

const (
	ok                  = 0
	pluginConfiguration = 7
	logError            = 4
)

//go:wasmimport env proxy_log
func proxyLog(level uint32, message unsafe.Pointer, length uint32) uint32

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBufferBytes(buffer, start, max uint32, bytes, length unsafe.Pointer) uint32

//go:wasmimport env proxy_get_header_map_pairs
func proxyGetHeaderMapPairs(headers uint32, pairs, length unsafe.Pointer) uint32

//go:wasmimport env proxy_add_header_map_value
func proxyAddHeaderMapValue(
	headers uint32, name unsafe.Pointer, nameLength uint32, value unsafe.Pointer, valueLength uint32,
) uint32

//go:wasmexport proxy_abi_version_0_2_1
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

// Addresses in the guest's memory are 32 bits wide, Go's pointers 64.
type outPointers struct {
	address uint32
	length  uint32
}

// What the host wrote into a block that it had asked for.
func (out *outPointers) taken() []byte {
	if out.length == 0 {
		return nil
	}
	address := unsafe.Pointer(uintptr(out.address))
	block := handedOut[address]
	delete(handedOut, address)
	return block[:out.length]
}

// The host gets an address even of an empty text, and never reads there.
func pointer(text string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(text)) }

// LogError writes a line at level error.
func LogError(message string) { proxyLog(logError, pointer(message), uint32(len(message))) }

// PluginConfiguration is empty when there is none.
func PluginConfiguration(size uint32) string {
	out := new(outPointers)
	status := proxyGetBufferBytes(
		pluginConfiguration, 0, size, unsafe.Pointer(&out.address), unsafe.Pointer(&out.length))
	if status != ok {
		return ""
	}
	return string(out.taken())
}

// AddHeader adds one more header, whether or not there is one of that name.
func AddHeader(headers Map, name, value string) {
	proxyAddHeaderMapValue(
		uint32(headers), pointer(name), uint32(len(name)), pointer(value), uint32(len(value)))
}

// HeaderPairs are names and values in their order.
func HeaderPairs(headers Map) ([][2]string, error) {
	out := new(outPointers)
	status := proxyGetHeaderMapPairs(
		uint32(headers), unsafe.Pointer(&out.address), unsafe.Pointer(&out.length))
	if status != ok {
		return nil, errors.New("the host refuses")
	}
	return readPairs(out.taken())
}

func readPairs(bytes []byte) ([][2]string, error) {
	if len(bytes) == 0 {
		return nil, nil
	}
	cut := errors.New("they are cut short")
	if len(bytes) < 4 {
		return nil, cut
	}
	count := int(binary.LittleEndian.Uint32(bytes))
	at := 4 + 8*count
	if count > len(bytes)/8 || at > len(bytes) {
		return nil, cut
	}
	pairs := make([][2]string, count)
	for index := range pairs {
		for part := range pairs[index] {
			length := int(binary.LittleEndian.Uint32(bytes[4+8*index+4*part:]))
			if at+length > len(bytes) {
				return nil, cut
			}
			pairs[index][part] = string(bytes[at : at+length])
			at += length + 1
		}
	}
	return pairs, nil
}
