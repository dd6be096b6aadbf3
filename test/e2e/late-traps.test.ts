/**
 * Filters that trap in the middle of a body, when a part of it has gone on its way: nobody may take
 * that part for the whole, neither the client nor the node.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { ask, BOTH_FRONTS, FRONTS, portOf, request } from "./support/fronts.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { RawConnection } from "./support/raw-client.ts";
import { ScriptedNode } from "./support/scripted-node.ts";

const RESPONSE = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/** Lets pieces of a body pass, and traps on one that begins with "!". */
function traps(direction: "request" | "response"): Uint8Array {
  return wat(`(module
    (import "env" "proxy_get_buffer_bytes" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_${direction}_body") (param i32 i32 i32) (result i32)
      (if (i32.eqz (call $get (i32.const ${direction === "request" ? 0 : 1})
            (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 1028)))
        (then (if (i32.eq (i32.load8_u (i32.load (i32.const 1024))) (i32.const 0x21))
          (then unreachable))))
      (i32.const 0)))`);
}

/** One chunk of a chunked body. */
function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const INSTANCES = ["shared", "per_request"] as const;

let node: ScriptedNode;
let gateway: Gateway;

const started = new AsyncDisposableStack();

beforeAll(async () => {
  node = started.use(new ScriptedNode());
  const names = INSTANCES.flatMap((kind) => [`down-${kind}`, `up-${kind}`]);
  const plugins = names.map((name) => {
    const [way, kind] = name.split("-");
    const file = `plugins/${way}.wasm`;
    return `{ name: ${name}, file: ${file}, instances: ${kind}, breaker: { failures: 0 } }`;
  });
  const upstream = `upstream: { nodes: { "${node.address}": 1 } }`;
  const routes = names.map(
    (name) => `\n  - { id: ${name}, uri: /${name}/*, plugins: [${name}], ${upstream} }`,
  );
  gateway = started.use(
    await startGateway(
      `${BOTH_FRONTS}
wasm: { plugins: [${plugins.join(", ")}] }
routes:${routes.join("")}
`,
      { files: { "plugins/down.wasm": traps("response"), "plugins/up.wasm": traps("request") } },
    ),
  );
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("front %s", (front) => {
  const port = (): number => portOf(gateway, front);

  describe.each(INSTANCES)("a response whose second piece traps, instances: %s", (instances) => {
    const folder = `/down-${instances}`;

    test.each([
      ["in chunks", CHUNKED, chunk("one"), chunk("!two") + LAST_CHUNK],
      ["of a known length", "Content-Length: 7\r\n", "one", "!two"],
      ["that ends with its connection", "Connection: close\r\n", "one", "!two"],
    ])("%s never looks whole", async (what, line, first, second) => {
      const path = `${folder}/${front}/${what.replaceAll(" ", "-")}`;
      node.on(path, (call) => call.write(`${RESPONSE}${line}\r\n${first}`));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      await raw.until(/one/);
      await call.write(second);
      if (line.includes("close")) call.end();
      expect(await raw.closed()).toBe(true);
      expect(raw.received).toStartWith("HTTP/1.1 200 ");
      expect(raw.received).not.toContain("two");
      expect(await raw.responses(1).catch(String)).toContain("cut short");
      expect((await ask(port(), request(`GET ${folder}/next`))).body).toBe(`node:${folder}/next`);
    });
  });

  describe.each(INSTANCES)("a request whose second piece traps, instances: %s", (instances) => {
    const folder = `/up-${instances}`;

    test.each([
      ["in chunks", CHUNKED.trim(), chunk("one"), chunk("!two") + LAST_CHUNK],
      ["of a known length", "Content-Length: 7", "one", "!two"],
    ])("%s never looks whole", async (what, line, first, second) => {
      const path = `${folder}/${front}/${what.replaceAll(" ", "-")}`;
      using raw = await RawConnection.open(port());
      await raw.write(request(`POST ${path}`, [line], first));
      const call = await node.call(path);
      await call.bodyHas("one");
      await raw.write(second);
      const [response] = await raw.responses(1);
      expect(response?.status).toBe(503);
      await call.gone();
      expect([call.complete, call.body.toString()]).toEqual([false, "one"]);
      expect(node.callsTo(path).length).toBe(1);
      const next = request(`POST ${folder}/next`, ["Content-Length: 4"], "last");
      expect((await ask(port(), next)).body).toBe(`node:${folder}/next`);
      expect(node.callsTo(`${folder}/next`).at(-1)?.body.toString()).toBe("last");
    });
  });
});

// Without chunks and a length, the way in which the connection ends is all that a client can see.
test("front http1 resets the connection of an HTTP/1.0 client", async () => {
  const path = "/down-shared/old";
  node.on(path, (call) => call.write(`${RESPONSE}${CHUNKED}\r\n${chunk("one")}`));
  using raw = await RawConnection.open(portOf(gateway, "http1"));
  await raw.write(`GET ${path} HTTP/1.0\r\nHost: a.test\r\n\r\n`);
  await raw.until(/one$/);
  await (await node.call(path)).write(chunk("!two") + LAST_CHUNK);
  expect(await raw.closed()).toBe(true);
  expect([raw.received.endsWith("\r\n\r\none"), raw.wasReset]).toEqual([true, true]);
});
