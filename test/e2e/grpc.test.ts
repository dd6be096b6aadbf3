/** Plugins that ask gRPC services, of another library, before they let a request through. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { type Gateway, startGateway, until } from "./support/gateway.ts";

/**
 * At 0 and on are strings, 64 bytes apart; 1024 and 1028 are out-pointers, 1032 an id. From 2048 on
 * is a heap that begins anew with each exchange, and from 32768 on stand the streams of ids.
 */
const PRELUDE = `
  (import "env" "proxy_grpc_call" (func $call
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_grpc_stream" (func $open
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_grpc_send" (func $send (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_status" (func $status (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $header
    (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply
    (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 2048))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get $size))))
  (func (export "proxy_on_context_create") (param i32 i32) (global.set $heap (i32.const 2048)))
  (func $slot (param $id i32) (result i32)
    (i32.add (i32.const 32768) (i32.shl (i32.and (local.get $id) (i32.const 1023)) (i32.const 2))))
  (func $remember (param $stream i32)
    (i32.store (call $slot (i32.load (i32.const 1032))) (local.get $stream)))
  (func $enter (param $id i32)
    (drop (call $effective (i32.load (call $slot (local.get $id))))))
  (func $answer (param $code i32) (param $ptr i32) (param $length i32)
    (drop (call $reply (local.get $code) (i32.const 0) (i32.const 0)
      (local.get $ptr) (local.get $length) (i32.const 0) (i32.const 0) (i32.const -1))))
  (func $refuse
    (drop (call $status (i32.const 1036) (i32.const 1024) (i32.const 1028)))
    (call $answer (i32.const 403) (i32.load (i32.const 1024)) (i32.load (i32.const 1028))))`;

const STRINGS = ["test.Echo", "x-method", "x-message", "Chat", "one", "two"];

const at = (n: number): string =>
  `(i32.const ${n * 64}) (i32.const ${(STRINGS[n] as string).length})`;

function guest(target: string, body: string): Uint8Array {
  const bytes = [...Buffer.from(target, "latin1")];
  const escaped = bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  const data = STRINGS.map((text, n) => `(data (i32.const ${n * 64}) "${text}")`).join("\n");
  const upstream = `(i32.const 512) (i32.const ${bytes.length})`;
  return wat(`(module ${PRELUDE} ${data} (data (i32.const 512) "${escaped}")
    ${body.replaceAll("UPSTREAM", upstream)})`);
}

/** Calls the method that the request names, with the message that it names; 403 is the error. */
const asks = (target: string): Uint8Array =>
  guest(
    target,
    `(func (export "proxy_on_request_headers") (param $id i32) (param i32 i32) (result i32)
      (local $refused i32)
      (drop (call $header (i32.const 0) ${at(1)} (i32.const 1040) (i32.const 1044)))
      (drop (call $header (i32.const 0) ${at(2)} (i32.const 1048) (i32.const 1052)))
      (local.set $refused (call $call UPSTREAM ${at(0)}
        (i32.load (i32.const 1040)) (i32.load (i32.const 1044)) (i32.const 0) (i32.const 0)
        (i32.load (i32.const 1048)) (i32.load (i32.const 1052))
        (i32.const 2000) (i32.const 1032)))
      (if (local.get $refused)
        (then (call $answer (i32.add (i32.const 500) (local.get $refused))
          (i32.const 0) (i32.const 0)))
        (else (call $remember (local.get $id))))
      (i32.const 1))
    (func (export "proxy_on_grpc_receive") (param $root i32) (param $id i32) (param i32)
      (call $enter (local.get $id))
      (drop (call $continue (i32.const 0))))
    (func (export "proxy_on_grpc_close") (param $root i32) (param $id i32) (param i32)
      (call $enter (local.get $id))
      (call $refuse))`,
  );

/** Says two things on a stream and answers with what it has heard when the stream is closed. */
const chats = (target: string): Uint8Array =>
  guest(
    target,
    `(global $heard (mut i32) (i32.const 65536))
    (func (export "proxy_on_request_headers") (param $id i32) (param i32 i32) (result i32)
      (local $refused i32)
      (global.set $heard (i32.const 65536))
      (local.set $refused (call $open UPSTREAM ${at(0)} ${at(3)} (i32.const 0) (i32.const 0)
        (i32.const 1032)))
      (if (local.get $refused)
        (then (call $answer (i32.add (i32.const 500) (local.get $refused))
          (i32.const 0) (i32.const 0))
          (return (i32.const 1))))
      (call $remember (local.get $id))
      (drop (call $send (i32.load (i32.const 1032)) ${at(4)} (i32.const 0)))
      (drop (call $send (i32.load (i32.const 1032)) ${at(5)} (i32.const 1)))
      (i32.const 1))
    (func (export "proxy_on_grpc_receive") (param $root i32) (param $id i32) (param $size i32)
      (drop (call $buffer (i32.const 5) (i32.const 0) (local.get $size)
        (i32.const 1024) (i32.const 1028)))
      (memory.copy (global.get $heard) (i32.load (i32.const 1024)) (local.get $size))
      (global.set $heard (i32.add (global.get $heard) (local.get $size))))
    (func (export "proxy_on_grpc_close") (param $root i32) (param $id i32) (param $code i32)
      (call $enter (local.get $id))
      (call $answer (i32.add (i32.const 200) (local.get $code)) (i32.const 65536)
        (i32.sub (global.get $heard) (i32.const 65536))))`,
  );

/** Envoy's GrpcService { google_grpc { target_uri } }. */
const service = (uri: string): string =>
  `\x12${String.fromCharCode(uri.length + 2)}\x0a${String.fromCharCode(uri.length)}${uri}`;

function yaml(server: GrpcServer): string {
  const names = ["ask", "alone", "chat", "denied", "nobody"];
  const routes = names.map(
    (name) => `
  - { uri: /${name}, plugins: [${name}], upstream: { nodes: { "builtin:httpbin": 1 } } }`,
  );
  return `listen: 127.0.0.1:0
workers: 1
routes:${routes.join("")}
upstreams:
  - { id: auth, nodes: { "${server.address}": 1 } }
  - { id: gone, nodes: { "127.0.0.1:1": 1 } }
wasm:
  plugins:
    - { name: ask, file: ask.wasm, allow: { http_call: [auth] } }
    - { name: alone, file: ask.wasm, instances: per_request, allow: { http_call: [auth] } }
    - { name: chat, file: chat.wasm, allow: { http_call: ["127.0.0.1:*"] } }
    - { name: denied, file: ask.wasm }
    - { name: nobody, file: gone.wasm, allow: { http_call: [gone] } }
`;
}

let server: GrpcServer;
let gateway: Gateway;

beforeAll(async () => {
  server = await startGrpcServer();
  gateway = await startGateway(yaml(server), {
    files: {
      "ask.wasm": asks("auth"),
      "gone.wasm": asks("gone"),
      "chat.wasm": chats(service(`dns:///${server.address}`)),
    },
  });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function ask(path: string, method: string, message: string): Promise<Response> {
  return gateway.fetch(path, { headers: { "x-method": method, "x-message": message } });
}

describe("a plugin with gRPC", () => {
  test.each(["/ask", "/alone"])(
    "lets a request of %s through when the call is OK",
    async (path) => {
      expect((await ask(path, "Unary", "hello")).status).toBe(404); // httpbin has no such page.
      expect(server.lines).toContain("unary 5");
    },
  );

  test.each(["/ask", "/alone"])("answers 403 for %s with the message of an error", async (path) => {
    const response = await ask(path, "Fail", "7 not you");
    expect(response.status).toBe(403);
    expect(await response.text()).toBe("not you");
  });

  test("answers many requests at once, each by its own call", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const path = n % 2 === 0 ? "/ask" : "/alone";
        return (await ask(path, "Fail", `7 no ${n}`)).text();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => `no ${n}`));
  });

  test("is told that a call's time is over, and so is the server", async () => {
    const response = await ask("/ask", "Hang", "x");
    expect(response.status).toBe(403);
    // The server knows of the deadline, too, and either may say it first.
    expect(await response.text()).toMatch(/^(?:no end within 2000 ms|Deadline exceeded)$/);
    await server.printed("cancelled");
  });

  test("talks on a stream both ways, to an address in Envoy's message", async () => {
    const response = await gateway.fetch("/chat");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("re:onere:two");
  });

  test("is told that nobody listens", async () => {
    const response = await ask("/nobody", "Unary", "x");
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("127.0.0.1:1: ");
  });

  test("is refused what is not granted, and the log says what would grant it", async () => {
    expect((await ask("/denied", "Unary", "x")).status).toBe(504);
    await gateway.logged(/not granted it; add "auth" to allow.http_call of plugin "denied"/);
  });

  test("loses its calls with a client that goes, under instances: per_request", async () => {
    const before = server.lines.filter((line) => line === "cancelled").length;
    const client = new AbortController();
    const pending = gateway
      .fetch("/alone", {
        headers: { "x-method": "Hang", "x-message": "x" },
        signal: client.signal,
      })
      .catch(() => undefined);
    const hangs = server.lines.filter((line) => line === "hang").length;
    await until(
      () => server.lines.filter((line) => line === "hang").length,
      (count) => count > hangs,
    );
    client.abort();
    await pending;
    await server.printed("cancelled", before + 1);
  });

  test("goes on after its server has died and come back", async () => {
    const { port } = server;
    expect((await ask("/ask", "Die", "x")).status).toBe(403);
    await server[Symbol.asyncDispose]();
    expect((await ask("/ask", "Unary", "x")).status).toBe(403);
    server = await startGrpcServer({ port });
    expect((await ask("/ask", "Unary", "x")).status).toBe(404);
  });
});
