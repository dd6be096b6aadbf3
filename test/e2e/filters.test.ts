import { describe, expect, test } from "bun:test";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { startGateway } from "./support/gateway.ts";

/** Memory of every guest here: 0 to 1023 strings of its own, 1024 an out-pointer, 2048 its heap. */
const PRELUDE = `
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 2048))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get $size))))
  (func (export "proxy_on_context_create") (param i32 i32) (global.set $heap (i32.const 2048)))
`;

/** Compiles a guest; its strings lie 64 bytes apart, from 0 on. */
function guest(imports: string, body: string, strings: readonly string[] = []): Uint8Array {
  const data = strings.map((text, n) => `(data (i32.const ${n * 64}) ${quoted(text)})`).join("\n");
  return wat(`(module ${imports} ${PRELUDE} ${data} ${body})`);
}

function quoted(text: string): string {
  const bytes = [...Buffer.from(text, "latin1")];
  return `"${bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

const LOCAL_RESPONSE = `(import "env" "proxy_send_local_response"
  (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))`;
const GET_HEADER = `(import "env" "proxy_get_header_map_value"
  (func $get (param i32 i32 i32 i32 i32) (result i32)))`;
const SET_BUFFER = `(import "env" "proxy_set_buffer_bytes"
  (func $set (param i32 i32 i32 i32 i32) (result i32)))`;

/** Replies 403 "denied" when the request has the header x-deny. */
const guard = () =>
  guest(
    LOCAL_RESPONSE + GET_HEADER,
    `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (if (i32.eqz (call $get (i32.const 0) (i32.const 0) (i32.const 6)
            (i32.const 1024) (i32.const 1028)))
        (then
          (drop (call $reply (i32.const 403) (i32.const 64) (i32.const 5)
            (i32.const 128) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const -1)))
          (return (i32.const 1))))
      (i32.const 0))`,
    ["x-deny", "guard", "denied"],
  );

/** Traps on requests with the header x-trap, where it is told to. */
const traps = (where: "request_headers" | "response_headers" | "request_body") =>
  guest(
    GET_HEADER,
    `(func (export "proxy_on_${where}") (param i32 i32 i32) (result i32)
      (if (i32.eqz (call $get (i32.const 0) (i32.const 0) (i32.const 6)
            (i32.const 1024) (i32.const 1028)))
        (then unreachable))
      (i32.const 0))`,
    ["x-trap"],
  );

/** Holds a body back until its end, and replaces it by "<swapped>". */
const swaps = (direction: "request" | "response") =>
  guest(
    SET_BUFFER,
    `(func (export "proxy_on_${direction}_body")
      (param $id i32) (param $size i32) (param $end i32) (result i32)
      (if (i32.eqz (local.get $end)) (then (return (i32.const 1))))
      (drop (call $set (i32.const ${direction === "request" ? 0 : 1})
        (i32.const 0) (local.get $size) (i32.const 0) (i32.const 9)))
      (i32.const 0))`,
    ["<swapped>"],
  );

/** Asks the upstream "auth" first; its status 200 lets the request through, others are 401. */
const asksFirst = () => {
  const lines: [string, string][] = [
    [":method", "GET"],
    [":path", "/status/200"],
    [":authority", "auth.test"],
  ];
  const count = Buffer.from(new Uint32Array([lines.length]).buffer).toString("latin1");
  const lengths = lines.flatMap(([name, value]) => [name.length, value.length]);
  const sizes = Buffer.from(new Uint32Array(lengths).buffer).toString("latin1");
  const map = count + sizes + lines.map(([name, value]) => `${name}\0${value}\0`).join("");
  return guest(
    `${LOCAL_RESPONSE} ${GET_HEADER}
    (import "env" "proxy_http_call"
      (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))`,
    `(global $stream (mut i32) (i32.const 0))
    (func (export "proxy_on_request_headers") (param $id i32) (param i32 i32) (result i32)
      (global.set $stream (local.get $id))
      (if (call $call (i32.const 0) (i32.const 4) (i32.const 192) (i32.const ${map.length})
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 2000) (i32.const 1024))
        (then (call $deny)))
      (i32.const 1))
    (func (export "proxy_on_http_call_response")
      (param $root i32) (param i32) (param $headers i32) (param i32 i32)
      (drop (call $effective (global.get $stream)))
      (if (i32.eqz (local.get $headers)) (then (call $deny) (return)))
      (drop (call $get (i32.const 6) (i32.const 64) (i32.const 7)
        (i32.const 1024) (i32.const 1028)))
      ;; The first digit of the status decides.
      (if (i32.eq (i32.load8_u (i32.load (i32.const 1024))) (i32.const 50))
        (then (drop (call $continue (i32.const 0))))
        (else (call $deny))))
    (func $deny
      (drop (call $reply (i32.const 401) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const -1))))`,
    ["auth", ":status", "", map],
  );
};

function yaml(plugins: string, more = ""): string {
  return `
listen: 127.0.0.1:0
workers: 1
routes:
  - id: all
    uri: /*
    plugins: ${plugins}
    upstream: { nodes: { "builtin:httpbin": 1 } }
${more}`;
}

describe("filters in a running gateway", () => {
  test("answer in the upstream's place", async () => {
    await using gateway = await startGateway(yaml("[guard]"), {
      files: { "plugins/guard.wasm": guard() },
    });
    expect((await gateway.fetch("/get")).status).toBe(200);
    const denied = await gateway.fetch("/get", { headers: { "x-deny": "1" } });
    expect(denied.status).toBe(403);
    expect(await denied.text()).toBe("denied");
  });

  test("replace bodies, both ways, and the length is right", async () => {
    await using gateway = await startGateway(yaml("[up, down]"), {
      files: {
        "plugins/up.wasm": swaps("request"),
        "plugins/down.wasm": swaps("response"),
      },
    });
    const response = await gateway.fetch("/anything", {
      method: "POST",
      body: "x".repeat(100_000),
    });
    expect(await response.text()).toBe("<swapped>");
  });

  test("see the request body that an earlier filter has made", async () => {
    await using gateway = await startGateway(yaml("[up]"), {
      files: { "plugins/up.wasm": swaps("request") },
    });
    const response = await gateway.fetch("/anything", { method: "POST", body: "secret" });
    expect(((await response.json()) as { data: string }).data).toBe("<swapped>");
  });

  test.each([
    { name: "a node that answers 200 lets through", node: "builtin:httpbin", status: 200 },
    { name: "a node that is down denies", node: "127.0.0.1:1", status: 401 },
  ])("make call-outs: $name", async ({ node, status }) => {
    const more = `
upstreams: [{ id: auth, nodes: { "${node}": 1 } }]
wasm: { plugins: [{ name: asks, allow: { http_call: [auth] } }] }`;
    await using gateway = await startGateway(yaml("[asks]", more), {
      files: { "plugins/asks.wasm": asksFirst() },
    });
    expect((await gateway.fetch("/get")).status).toBe(status);
  });

  test("make no call-out that the configuration does not grant", async () => {
    const more = `upstreams: [{ id: auth, nodes: { "builtin:httpbin": 1 } }]`;
    await using gateway = await startGateway(yaml("[asks]", more), {
      files: { "plugins/asks.wasm": asksFirst() },
    });
    expect((await gateway.fetch("/get")).status).toBe(401);
    await gateway.logged(/plugin=asks/);
  });
});

describe("a filter that traps", () => {
  test.each(["request_headers", "response_headers"] as const)(
    "in %s: 503 for that exchange, and the next one is served",
    async (where) => {
      await using gateway = await startGateway(yaml("[boom]"), {
        files: { "plugins/boom.wasm": traps(where) },
      });
      for (let n = 0; n < 5; n++) {
        expect((await gateway.fetch("/get")).status).toBe(200);
        const failed = await gateway.fetch("/get", { headers: { "x-trap": "1" } });
        expect(failed.status).toBe(503);
        expect(((await failed.json()) as { error: string }).error).toBe("FILTER_FAILED");
      }
    },
  );

  test("in a body callback: 503, and the node's connection is given up", async () => {
    await using gateway = await startGateway(yaml("[boom]"), {
      files: { "plugins/boom.wasm": traps("request_body") },
    });
    const init = { method: "POST", body: "x", headers: { "x-trap": "1" } };
    expect((await gateway.fetch("/post", init)).status).toBe(503);
    expect((await gateway.fetch("/post", { method: "POST", body: "x" })).status).toBe(200);
  });

  test("is skipped when it fails open", async () => {
    const more = `wasm: { plugins: [{ name: boom, fail: open }] }`;
    await using gateway = await startGateway(yaml("[boom]", more), {
      files: { "plugins/boom.wasm": traps("request_headers") },
    });
    const response = await gateway.fetch("/get", { headers: { "x-trap": "1" } });
    expect(response.status).toBe(200);
  });

  test("does not disturb the exchanges of other plugins", async () => {
    const more = `
  - id: other
    uri: /other/*
    priority: 1
    plugins: [{ add-header: { name: X-Ok, value: "1" } }]
    upstream: { nodes: { "builtin:httpbin": 1 } }`;
    await using gateway = await startGateway(yaml("[boom]", more), {
      files: { "plugins/boom.wasm": traps("request_headers") },
    });
    const failing = Array.from({ length: 20 }, () =>
      gateway.fetch("/get", { headers: { "x-trap": "1" } }),
    );
    const honest = Array.from({ length: 20 }, () => gateway.fetch("/other/x"));
    const answers = await Promise.all(honest);
    expect(answers.map((answer) => answer.headers.get("x-ok"))).toEqual(Array(20).fill("1"));
    await Promise.all(failing);
  });
});
