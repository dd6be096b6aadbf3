// The name lies below the SDK's own on purpose: its seam for hosts is an internal package.
module github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/guests

go 1.24

require github.com/tetratelabs/proxy-wasm-go-sdk v0.24.0
