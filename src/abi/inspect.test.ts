import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { HTTP_HANDLER_SIGNATURES } from "./http-wasm/signatures.ts";
import { inspectModule } from "./inspect.ts";
import { HOST_FUNCTION_SIGNATURES } from "./proxy-wasm/signatures.ts";
import { PRELUDE, wat } from "./proxy-wasm/testing.ts";
import { signature } from "./signature.ts";
import { WASI_SIGNATURES } from "./wasi/signatures.ts";

const MARKER = '(func (export "proxy_abi_version_0_2_1"))';
const MALLOC = '(func (export "malloc") (param i32) (result i32) (i32.const 0))';
const HANDLERS = `(func (export "handle_request") (result i64) (i64.const 1))
  (func (export "handle_response") (param i32 i32))`;
const MEMORY = '(memory (export "memory") 1)';

describe("inspectModule()", () => {
  test.each([
    { marker: "proxy_abi_version_0_1_0", abi: "proxy-wasm 0.1.0" },
    { marker: "proxy_abi_version_0_2_0", abi: "proxy-wasm 0.2.0" },
    { marker: "proxy_abi_version_0_2_1", abi: "proxy-wasm 0.2.1" },
  ])("tells the ABI by the export $marker", ({ marker, abi }) => {
    const report = inspect(`${MEMORY} ${MALLOC} (func (export "${marker}"))`);
    expect<string>(report.abi).toBe(abi);
    expect(report.problems).toEqual([]);
  });

  test("takes the newest marker of several", () => {
    const report = inspect(`${PRELUDE} (func (export "proxy_abi_version_0_1_0"))`);
    expect(report.abi).toBe("proxy-wasm 0.2.1");
  });

  test("lists callbacks, also those that are never called, and the memory", () => {
    const report = inspect(`${MARKER} ${MALLOC} (memory (export "memory") 2 5)
      (func (export "proxy_on_log") (param i32))
      (func (export "proxy_on_request_metadata") (param i32 i32) (result i32) (i32.const 0))
      (func (export "own"))`);
    expect(report.callbacks).toEqual(["proxy_on_log", "proxy_on_request_metadata"]);
    expect(report.pages).toEqual({ min: 2, max: 5 });
    expect(report.problems).toEqual([]);
  });

  test("knows every host function and every WASI function under both names", () => {
    const imports = [
      ...importsOf("env", HOST_FUNCTION_SIGNATURES),
      ...importsOf("wasi_snapshot_preview1", WASI_SIGNATURES),
      ...importsOf("wasi_unstable", WASI_SIGNATURES),
    ];
    const report = inspect(`${imports.join("\n")} ${PRELUDE}`);
    expect(report.problems).toEqual([]);
    expect(report.imports).toHaveLength(imports.length);
  });

  test("lets a guest drop a result", () => {
    const report = inspect(`(import "env" "proxy_continue_request" (func)) ${PRELUDE}`);
    expect(report.problems).toEqual([]);
  });

  test("takes proxy_on_memory_allocate for an allocator", () => {
    const allocate =
      '(func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 0))';
    expect(inspect(`${MARKER} ${MEMORY} ${allocate}`).problems).toEqual([]);
  });

  test("tells http-wasm by its exports, or by its imports", () => {
    const uri = '(import "http_handler" "get_uri" (func (param i32 i32) (result i32)))';
    for (const text of [`${MEMORY} ${HANDLERS}`, `${uri} ${MEMORY} ${HANDLERS}`]) {
      const report = inspect(text);
      expect(report.abi).toBe("http-wasm");
      expect(report.callbacks).toEqual(["handle_request", "handle_response"]);
      expect(report.problems).toEqual([]);
    }
    expect(inspect(`${uri} ${MEMORY}`).abi).toBe("http-wasm");
  });

  test("knows every host function of http-wasm, beside WASI", () => {
    const imports = [
      ...importsOf("http_handler", HTTP_HANDLER_SIGNATURES),
      ...importsOf("wasi_snapshot_preview1", WASI_SIGNATURES),
    ];
    const report = inspect(`${imports.join("\n")} ${MEMORY} ${HANDLERS}`);
    expect(report.abi).toBe("http-wasm");
    expect(report.problems).toEqual([]);
  });

  test("has the marker decide between both kinds of exports, unless the ABI is given", () => {
    const bytes = wat(`(module ${PRELUDE} ${HANDLERS})`);
    expect(inspectModule(bytes).abi).toBe("proxy-wasm 0.2.1");
    expect(inspectModule(bytes, "proxy-wasm").abi).toBe("proxy-wasm 0.2.1");
    expect(inspectModule(bytes, "http-wasm").abi).toBe("http-wasm");
    expect(inspectModule(bytes, "http-wasm").problems).toEqual([]);
  });

  test("says what is missing for the ABI that is given", () => {
    const proxyWasm = inspectModule(wat(`(module ${PRELUDE})`), "http-wasm");
    expect(proxyWasm.abi).toBe("http-wasm");
    expect(codes(proxyWasm)).toEqual(["NO_HANDLER", "NO_HANDLER"]);
    const httpWasm = inspectModule(wat(`(module ${MEMORY} ${HANDLERS})`), "proxy-wasm");
    expect(httpWasm.abi).toBe("unknown");
    expect(codes(httpWasm)).toEqual(["NO_ABI", "NO_ALLOCATOR"]);
  });
});

describe("inspectModule() errors", () => {
  test.each([
    { name: "text", bytes: new TextEncoder().encode("hello"), code: "NOT_WASM" },
    { name: "nothing", bytes: new Uint8Array(), code: "NOT_WASM" },
    {
      name: "a piece of a module",
      bytes: wat(`(module ${PRELUDE})`).slice(0, -3),
      code: "TRUNCATED",
    },
    { name: "too much", bytes: new Uint8Array(LIMITS.moduleBytesMax + 1), code: "TOO_LARGE" },
  ])("reports $name as $code and nothing else", ({ bytes, code }) => {
    const report = inspectModule(bytes);
    expect(codes(report)).toEqual([code]);
    expect(report.abi).toBe("unknown");
  });

  test("reports code that does not validate, with the engine's reason", () => {
    const report = inspect(`${PRELUDE} (func (result i32) (i64.const 0))`);
    expect(codes(report)).toEqual(["INVALID"]);
    expect(report.problems[0]?.message).toContain("the engine says");
  });

  test.each([
    { name: "no marker", text: `${MEMORY} ${MALLOC}`, code: "NO_ABI", says: "no ABI marker" },
    {
      name: "an unknown marker",
      text: `${MEMORY} ${MALLOC} (func (export "proxy_abi_version_0_3_0"))`,
      code: "NO_ABI",
      says: "proxy_abi_version_0_3_0, an ABI that is not known",
    },
    {
      name: "an unknown marker beside handlers",
      text: `${MEMORY} ${MALLOC} ${HANDLERS} (func (export "proxy_abi_version_0_3_0"))`,
      code: "NO_ABI",
      says: "proxy_abi_version_0_3_0, an ABI that is not known",
    },
    {
      name: "an unknown function",
      text: `(import "env" "proxy_redis_init" (func)) ${PRELUDE}`,
      code: "UNKNOWN_IMPORT",
      says: '"env.proxy_redis_init", which does not exist here',
    },
    {
      name: "an unknown module",
      text: `(import "wasi_snapshot_preview2" "fd_write" (func)) ${PRELUDE}`,
      code: "UNKNOWN_IMPORT",
      says: '"wasi_snapshot_preview2.fd_write"',
    },
    {
      name: "what every object inherits",
      text: `(import "env" "constructor" (func)) ${PRELUDE}`,
      code: "UNKNOWN_IMPORT",
      says: '"env.constructor"',
    },
    {
      name: "wrong parameters",
      text: `(import "env" "proxy_log" (func (param i32 i64) (result i32))) ${PRELUDE}`,
      code: "IMPORT_SIGNATURE",
      says: "wrong signature: expected (i32, i32, i32) -> i32, found (i32, i64) -> i32",
    },
    {
      name: "a result that is not there",
      text: `(import "env" "proxy_done" (func (result i64))) ${PRELUDE}`,
      code: "IMPORT_SIGNATURE",
      says: "expected () -> i32, found () -> i64",
    },
    {
      name: "an imported memory",
      text: `(import "env" "memory" (memory 1)) (export "memory" (memory 0)) ${MARKER} ${MALLOC}`,
      code: "IMPORTED_STATE",
      says: 'the memory "env.memory"; it must bring its own',
    },
    {
      name: "an imported table",
      text: `(import "env" "t" (table 1 funcref)) ${PRELUDE}`,
      code: "IMPORTED_STATE",
      says: 'the table "env.t"',
    },
    {
      name: "an imported global",
      text: `(import "env" "g" (global i32)) ${PRELUDE}`,
      code: "IMPORTED_STATE",
      says: 'the global "env.g"',
    },
    {
      name: "no exported memory",
      text: `(memory 1) ${MARKER} ${MALLOC}`,
      code: "NO_MEMORY",
      says: 'its memory as "memory"',
    },
    {
      name: "too much memory",
      text: `(memory (export "memory") ${LIMITS.guestPagesMax + 1}) ${MARKER} ${MALLOC}`,
      code: "MEMORY_TOO_LARGE",
      says: `${LIMITS.guestPagesMax + 1} pages`,
    },
    {
      name: "no allocator",
      text: `${MEMORY} ${MARKER}`,
      code: "NO_ALLOCATOR",
      says: "neither proxy_on_memory_allocate nor malloc",
    },
    {
      name: "a callback with 64-bit parameters",
      text: `${PRELUDE} (func (export "proxy_on_log") (param i64))`,
      code: "EXPORT_SIGNATURE",
      says: '"proxy_on_log" with a wrong signature: expected i32 only, found (i64) -> ()',
    },
    {
      name: "a draft of http-wasm, by its functions,",
      text: `(import "http_handler" "next" (func)) ${MEMORY} (func (export "handle_request"))`,
      code: "HTTP_WASM_DRAFT",
      says: 'made for a draft of http-wasm: it imports "http_handler.next"',
    },
    {
      name: "a draft of http-wasm, by its module,",
      text: `(import "http-handler" "log" (func (param i32 i32))) ${MEMORY} ${HANDLERS}`,
      code: "HTTP_WASM_DRAFT",
      says: '"http-handler.log"',
    },
    {
      name: "a draft of http-wasm, by its export,",
      text: `(import "http_handler" "log" (func (param i32 i32 i32))) ${MEMORY}
        (func (export "handle"))`,
      code: "HTTP_WASM_DRAFT",
      says: 'exports "handle" in place of "handle_request"',
    },
    {
      name: "http-wasm without handle_response",
      text: `${MEMORY} (func (export "handle_request") (result i64) (i64.const 1))`,
      code: "NO_HANDLER",
      says: 'does not export the function "handle_response" of type (i32, i32) -> ()',
    },
    {
      name: "a handler of another type",
      text: `${MEMORY} (func (export "handle_request") (result i32) (i32.const 1))
        (func (export "handle_response") (param i32 i32))`,
      code: "EXPORT_SIGNATURE",
      says: '"handle_request" with a wrong signature: expected () -> i64, found () -> i32',
    },
    {
      name: "http-wasm without memory",
      text: HANDLERS,
      code: "NO_MEMORY",
      says: 'its memory as "memory"',
    },
    {
      name: "an unknown function of http-wasm",
      text: `(import "http_handler" "get_template" (func)) ${MEMORY} ${HANDLERS}`,
      code: "UNKNOWN_IMPORT",
      says: '"http_handler.get_template", which does not exist here',
    },
    {
      name: "a function of Proxy-Wasm in http-wasm",
      text: `(import "env" "proxy_done" (func (result i32))) ${MEMORY} ${HANDLERS}`,
      code: "UNKNOWN_IMPORT",
      says: '"env.proxy_done"',
    },
    {
      name: "a function of http-wasm in Proxy-Wasm",
      text: `(import "http_handler" "get_status_code" (func (result i32))) ${PRELUDE}`,
      code: "UNKNOWN_IMPORT",
      says: '"http_handler.get_status_code"',
    },
    {
      name: "a wrong import of http-wasm",
      text: `(import "http_handler" "log" (func (param i32 i32))) ${MEMORY} ${HANDLERS}`,
      code: "IMPORT_SIGNATURE",
      says: "expected (i32, i32, i32) -> (), found (i32, i32) -> ()",
    },
    {
      name: "a _start with parameters in http-wasm",
      text: `${MEMORY} ${HANDLERS} (func (export "_start") (param i64))`,
      code: "EXPORT_SIGNATURE",
      says: '"_start" with a wrong signature',
    },
    {
      name: "Proxy-Wasm older than 0.1.0",
      text: `${MEMORY} ${MALLOC} (func (export "proxy_onStart") (param i32))`,
      code: "NO_ABI",
      says: "it exports proxy_onStart, so it may be made for a Proxy-Wasm ABI older than 0.1.0",
    },
  ])("reports $name as $code", ({ text, code, says }) => {
    const report = inspect(text);
    expect(codes(report)).toEqual([code]);
    expect(report.problems[0]?.message).toContain(says);
  });

  test("names every missing function", () => {
    const report = inspect(
      `(import "env" "a" (func)) (import "env" "b" (func)) (import "x" "c" (func)) ${PRELUDE}`,
    );
    expect(report.missing).toEqual([
      { module: "env", name: "a" },
      { module: "env", name: "b" },
      { module: "x", name: "c" },
    ]);
  });

  test("does not list thousands of problems, nor endless names", () => {
    const imports = Array.from({ length: 300 }, (_, n) => `(import "env" "${n}" (func))`);
    const name = "n".repeat(10_000);
    const report = inspect(`(import "env" "${name}" (func)) ${imports.join(" ")} ${PRELUDE}`);
    expect(report.problems).toHaveLength(51);
    expect(report.problems.at(-1)?.message).toBe("the module has 251 more problems");
    expect(report.problems[0]?.message.length).toBeLessThan(400);
  });
});

function inspect(text: string) {
  return inspectModule(wat(`(module ${text})`));
}

function codes({ problems }: ReturnType<typeof inspectModule>): string[] {
  return problems.map((problem) => problem.code);
}

function importsOf(module: string, table: Readonly<Record<string, string>>): string[] {
  return Object.entries(table).map(([name, short]) => {
    const { params, results } = signature(short);
    const types = `(param ${params.join(" ")}) (result ${results.join(" ")})`;
    return `(import "${module}" "${name}" (func ${types}))`;
  });
}
