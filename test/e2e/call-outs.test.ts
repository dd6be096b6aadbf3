/** Call-outs of plugins, to a node of another library in a process of its own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { assemble, pairs, quoted } from "../hostile/assemble.ts";
import { callback } from "../hostile/guest.ts";
import { startNodeServer, type NodeServer } from "../support/node-server.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";

const HEAD = pairs([
  [":method", "POST"],
  [":path", "/check"],
  [":authority", "check.test"],
]);
const TRAILERS = pairs([
  ["x-sum", "42"],
  ["content-length", "7"],
]);
const ANSWER_BODY = 4;
const ANSWER_TRAILERS = 7;

/** Answers with the trailer x-checked and the body behind it. @param body where, how long */
const checking = (body: string): Uint8Array =>
  assemble(`
    (data (i32.const 256) "node") (data (i32.const 272) "x-checked") (data (i32.const 288) "hello")
    (data (i32.const 512) ${quoted(HEAD)}) (data (i32.const 1024) ${quoted(TRAILERS)})
    (global $stream (mut i32) (i32.const 0))
    ${callback(
      "request_headers",
      `(global.set $stream (local.get $id))
      (call $expect (call $proxy_http_call #256 #4 #512 #${HEAD.byteLength} ${body}
        #1024 #${TRAILERS.byteLength} #5000 #128) #0)`,
      1,
    )}
    ${callback(
      "http_call_response",
      `(call $expect (local.get $trailers) #1)
      (drop (call $proxy_set_effective_context (global.get $stream)))
      (call $expect (call $proxy_get_header_map_value
        #${ANSWER_TRAILERS} #272 #9 #128 #132) #0)
      (call $expect (call $proxy_get_buffer_bytes #${ANSWER_BODY} #0 #-1 #136 #140) #0)
      (memory.copy #33000 (i32.load #128) (i32.load #132))
      (memory.copy (i32.add #33000 (i32.load #132)) (i32.load #136) (i32.load #140))
      (drop (call $proxy_send_local_response #200 #0 #0
        #33000 (i32.add (i32.load #132) (i32.load #140)) #0 #0 #-1))`,
    )}`);

/** Takes some ms, calls out and does not wait, and has a look at the body. */
const LATE = assemble(`
  (data (i32.const 256) "node")
  (data (i32.const 512) ${quoted(HEAD)})
  ${callback(
    "request_headers",
    `(loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) #1)) #3000000)))
    (call $expect (call $proxy_http_call #256 #4 #512 #${HEAD.byteLength} #0 #0
      #0 #0 #5000 #128) #0)`,
  )}
  ${callback("request_body", "")}`);

let server: NodeServer;
let gateway: Gateway;

beforeAll(async () => {
  server = await startNodeServer("trailer-server.mjs");
  const names = ["full", "full-fresh", "empty", "empty-fresh", "late", "late-fresh"];
  const plugins = names.map(
    (name) => `{ name: ${name}, file: ${name.split("-")[0]}.wasm, allow: { http_call: [node] },
      instances: ${name.endsWith("fresh") ? "per_request" : "shared"},
      limits: { deadline: 500ms } }`,
  );
  const routes = names.map((name) => `{ uri: /${name}, plugins: [${name}], upstream_id: node }`);
  const yaml = `
listen: 127.0.0.1:0
workers: 1
upstreams: [{ id: node, nodes: { "${server.address}": 1 } }]
routes: [${routes.join(", ")}]
wasm: { plugins: [${plugins.join(", ")}] }
`;
  gateway = await startGateway(yaml, {
    files: { "full.wasm": checking("#288 #5"), "empty.wasm": checking("#0 #0"), "late.wasm": LATE },
  });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe("a call-out with trailers", () => {
  test.each([
    { path: "/full", body: "hello" },
    { path: "/full-fresh", body: "hello" },
    { path: "/empty", body: "" },
    { path: "/empty-fresh", body: "" },
  ])("of $path reaches the node with them, and its answer's reach the guest", async (each) => {
    for (let n = 0; n < 3; n++) {
      const response = await gateway.fetch(each.path);
      const text = await response.text();
      expect(text).toStartWith("42 checked{");
      expect(JSON.parse(text.slice("42 checked".length))).toEqual({
        method: "POST",
        body: each.body,
        trailers: { "x-sum": "42" },
      });
    }
  });
});

describe("a call-out while exchanges with bodies wait to be sent", () => {
  test.each(["/late", "/late-fresh"])("of %s leaves their filters alone", async (path) => {
    const send = async (): Promise<number> => {
      const response = await gateway.fetch(path, { method: "POST", body: "hello" });
      await response.arrayBuffer();
      return response.status;
    };
    for (let round = 0; round < 10; round++) {
      const statuses = await Promise.all(Array.from({ length: 8 }, send));
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
  });
});
