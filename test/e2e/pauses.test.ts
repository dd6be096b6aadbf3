import { describe, expect, test } from "bun:test";
import { PRELUDE, wat } from "../../src/abi/proxy-wasm/testing.ts";
import { startGateway } from "./support/gateway.ts";

/**
 * Pauses on headers, reads the body to its end, and judges: a body that does not begin with "{" is
 * answered by 403, another one is replaced by "<read>". Without a body it lets go at once.
 */
const judges = (direction: "request" | "response"): Uint8Array => {
  const type = direction === "request" ? 0 : 1;
  return wat(`(module
  (import "env" "proxy_get_buffer_bytes"
    (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_buffer_bytes"
    (func $set (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  ${PRELUDE}
  (data (i32.const 0) "<read>")
  (data (i32.const 16) "refused")
  (func (export "proxy_on_${direction}_headers") (param i32 i32) (param $end i32) (result i32)
    (i32.eqz (local.get $end)))
  (func (export "proxy_on_${direction}_body") (param i32 i32) (param $end i32) (result i32)
    (if (i32.eqz (local.get $end)) (then (return (i32.const 1))))
    (drop (call $get (i32.const ${type}) (i32.const 0) (i32.const 1)
      (i32.const 64) (i32.const 68)))
    (if (i32.and (i32.ne (i32.load (i32.const 68)) (i32.const 0))
          (i32.ne (i32.load8_u (i32.load (i32.const 64))) (i32.const 123)))
      (then
        (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0)
          (i32.const 16) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const -1)))
        (return (i32.const 1))))
    (drop (call $set (i32.const ${type}) (i32.const 0) (i32.const -1)
      (i32.const 0) (i32.const 6)))
    (i32.const 0)))`);
};

/** Sets :path to what the header x-to says. */
const moves = (): Uint8Array =>
  wat(`(module
  (import "env" "proxy_get_header_map_value"
    (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value"
    (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  ${PRELUDE}
  (data (i32.const 0) "x-to:path")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (i32.eqz (call $get (i32.const 0) (i32.const 0) (i32.const 4)
          (i32.const 64) (i32.const 68)))
      (then (drop (call $replace (i32.const 0) (i32.const 4) (i32.const 5)
        (i32.load (i32.const 64)) (i32.load (i32.const 68))))))
    (i32.const 0)))`);

const yaml = (plugin: string, more = ""): string => `
listen: 127.0.0.1:0
workers: 1
wasm: { plugins: [${plugin}] }
routes:
  - { id: all, uri: /*, plugins: [own], upstream: { nodes: { "builtin:httpbin": 1 } } }
${more}`;

describe("pause: stream", () => {
  test("lets a filter judge the request by its body before anything is forwarded", async () => {
    await using gateway = await startGateway(yaml("{ name: own, pause: stream }"), {
      files: { "plugins/own.wasm": judges("request") },
    });
    const post = (body: string) => gateway.fetch("/anything", { method: "POST", body });
    const refused = await post("x".repeat(200_000));
    expect([refused.status, await refused.text()]).toEqual([403, "refused"]);
    const taken = await post("{".repeat(200_000));
    const seen = (await taken.json()) as { data: string; headers: Record<string, string> };
    expect(seen.data).toBe("<read>");
    // The whole body was there, so its new length is told and not only that it comes in chunks.
    expect(seen.headers["Content-Length"]).toBe("6");
    expect((await gateway.fetch("/get")).status).toBe(200);
    expect((await post("{".repeat(1_200_000))).status).toBe(413);
  });

  test("lets a filter judge the response by its body before its head leaves", async () => {
    await using gateway = await startGateway(yaml("{ name: own, pause: stream }"), {
      files: { "plugins/own.wasm": judges("response") },
    });
    const read = await gateway.fetch("/get");
    expect([read.status, await read.text()]).toEqual([200, "<read>"]);
    expect(read.headers.get("content-length")).toBe("6");
    const refused = await gateway.fetch("/bytes/100?seed=1");
    expect([refused.status, await refused.text()]).toEqual([403, "refused"]);
    expect((await gateway.fetch("/status/204")).status).toBe(204);
    expect((await gateway.fetch("/bytes/1200000?seed=1")).status).toBe(500);
  });
});

describe("route_cache", () => {
  const more = `
  - { id: b, uri: /status/*, plugins: [add-header: { name: x-route, value: b }],
      upstream: { nodes: { "builtin:httpbin": 1 } } }`;
  const to = { headers: { "x-to": "/status/201" } };

  test("clear: a changed path chooses the route, with the filters that it has", async () => {
    await using gateway = await startGateway(yaml("{ name: own }", more), {
      files: { "plugins/own.wasm": moves() },
    });
    const moved = await gateway.fetch("/get", to);
    expect([moved.status, moved.headers.get("x-route")]).toEqual([201, "b"]);
    const stayed = await gateway.fetch("/get");
    expect([stayed.status, stayed.headers.get("x-route")]).toEqual([200, null]);
  });

  test("retain: only the path changes", async () => {
    await using gateway = await startGateway(yaml("{ name: own, route_cache: retain }", more), {
      files: { "plugins/own.wasm": moves() },
    });
    const moved = await gateway.fetch("/get", to);
    expect([moved.status, moved.headers.get("x-route")]).toEqual([201, null]);
  });
});
