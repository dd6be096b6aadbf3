import { describe, expect, test } from "bun:test";
import { inspectModule } from "./inspect.ts";
import { PRELUDE, wat } from "./proxy-wasm/testing.ts";
import { renderReport } from "./render-report.ts";

describe("renderReport()", () => {
  test("shows what the module is, brings and needs", () => {
    const bytes = wat(`(module
      (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
      (import "wasi_unstable" "proc_exit" (func (param i32)))
      ${PRELUDE}
      (func (export "proxy_on_log") (param i32)))`);
    expect(renderReport(inspectModule(bytes))).toBe(
      [
        `size:           ${bytes.byteLength} bytes`,
        "abi:            proxy-wasm 0.2.1",
        "memory:         1 pages of 64 KiB, no maximum",
        "sandbox:        put back to its image after an exchange",
        "callbacks:",
        "  proxy_on_log",
        "host functions:",
        "  proxy_log",
        "wasi functions:",
        "  wasi_unstable.proc_exit",
        "problems:       none",
        "",
      ].join("\n"),
    );
  });

  test("shows what an http-wasm module can enable", () => {
    const handlers = `(memory (export "memory") 1)
      (func (export "handle_request") (result i64) (i64.const 1))
      (func (export "handle_response") (param i32 i32))`;
    const plain = renderReport(inspectModule(wat(`(module ${handlers})`)));
    expect(plain).toContain("abi:            http-wasm\n");
    expect(plain).toContain("features:       none\n");
    expect(plain).toContain("bodies:         pass untouched\n");
    const imports = `
      (import "http_handler" "enable_features" (func (param i32) (result i32)))
      (import "http_handler" "read_body" (func (param i32 i32 i32) (result i64)))`;
    const buffering = renderReport(inspectModule(wat(`(module ${imports} ${handlers})`)));
    expect(buffering).toContain("may enable buffer_request, buffer_response, trailers");
    expect(buffering).toContain("waits for the whole request");
    expect(buffering).toContain("  http_handler.read_body\n");
  });

  test("shows problems with their codes", () => {
    const report = inspectModule(new TextEncoder().encode("hello"));
    expect(renderReport(report)).toContain('does not start with "\\0asm" but with 68656c6c');
    expect(renderReport(report)).toContain("[NOT_WASM]");
    expect(renderReport(report)).toContain("memory:         none");
  });

  test("makes names printable that would steer a terminal", () => {
    const report = inspectModule(wat('(module (import "env" "\\1b[31m\\e2\\80\\ae" (func)))'));
    const text = renderReport(report);
    expect(text).toContain("\\u{1b}[31m\\u{202e}");
    expect(text).not.toContain("\u001b");
  });

  test("cuts lists that nobody reads to the end", () => {
    const imports = Array.from({ length: 250 }, (_, n) => `(import "env" "f${n}" (func))`);
    const text = renderReport(inspectModule(wat(`(module ${imports.join("\n")})`)));
    expect(text).toContain("  f199\n  … and 50 more\n");
  });
});
