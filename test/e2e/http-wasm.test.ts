/** http-wasm plugins in a real gateway, alone and beside Proxy-Wasm ones. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { PRELUDE, wat } from "../../src/abi/proxy-wasm/testing.ts";
import { WebSocketClient } from "../support/web-socket-client.ts";
import { withFront } from "./support/default-front.ts";
import { type Gateway, sluice, startGateway, until } from "./support/gateway.ts";
import { type Echo, echoNode, refusingAddress } from "./support/nodes.ts";
import { request } from "./support/fronts.ts";
import { RawConnection } from "./support/raw-client.ts";
import { ScriptedNode } from "./support/scripted-node.ts";

const IMPORTS = `
  (import "http_handler" "enable_features" (func $enable (param i32) (result i32)))
  (import "http_handler" "get_config" (func $config (param i32 i32) (result i32)))
  (import "http_handler" "get_header_values"
    (func $values (param i32 i32 i32 i32 i32) (result i64)))
  (import "http_handler" "set_header_value" (func $set (param i32 i32 i32 i32 i32)))
  (import "http_handler" "set_uri" (func $uri (param i32 i32)))
  (import "http_handler" "set_status_code" (func $status (param i32)))
  (import "http_handler" "write_body" (func $write (param i32 i32 i32)))`;
const READ = `
  (import "http_handler" "read_body" (func $read (param i32 i32 i32) (result i64)))`;
const MEMORY = '(memory (export "memory") 2) (data (i32.const 16) "x-seen\\00\\00yes")';
/** Sets x-seen: yes on the request (0) or the response (1). */
const MARK = `(func $mark (param i32)
  (call $set (local.get 0) (i32.const 16) (i32.const 6) (i32.const 24) (i32.const 3)))`;
const ON_REQUEST = (code: string, result = "(i64.const 1)"): string =>
  `(func (export "handle_request") (result i64) ${code} ${result})`;
const ON_RESPONSE = (code = ""): string =>
  `(func (export "handle_response") (param $ctx i32) (param $error i32) ${code})`;
/** Reads the body of that kind in pieces of 7 bytes to 1024 and counts them in $n. */
const READ_ALL = (kind: number): string => `
  (loop $more
    (local.set $got (call $read (i32.const ${kind})
      (i32.add (i32.const 1024) (local.get $n)) (i32.const 7)))
    (local.set $n (i32.add (local.get $n) (i32.wrap_i64 (local.get $got))))
    (br_if $more (i64.eqz (i64.shr_u (local.get $got) (i64.const 32)))))`;
const START = (features: number): string =>
  `(func $start (drop (call $enable (i32.const ${features})))) (start $start)`;

const MODULES: Readonly<Record<string, Uint8Array>> = {
  // Marks both messages and never looks at a body.
  marking: module(`${MARK} ${ON_REQUEST("(call $mark (i32.const 0)) (call $mark (i32.const 1))")}
    ${ON_RESPONSE()}`),
  // Reads the request's body in small pieces and writes nothing.
  reading: module(
    `${ON_REQUEST(`(local $n i32) (local $got i64) ${READ_ALL(0)}`)} ${ON_RESPONSE()}`,
    READ,
  ),
  // Writes the request's body twice behind one another.
  doubling: module(
    `${ON_REQUEST(`(local $n i32) (local $got i64) ${READ_ALL(0)}
      (call $write (i32.const 0) (i32.const 1024) (local.get $n))
      (call $write (i32.const 0) (i32.const 1024) (local.get $n))`)} ${ON_RESPONSE()}`,
    READ,
  ),
  // Changes status, a header and the body of a response that it has read.
  changing: module(
    `${MARK} ${START(2)} ${ON_REQUEST("")}
    ${ON_RESPONSE(`(local $n i32) (local $got i64) ${READ_ALL(1)}
      (call $status (i32.const 203)) (call $mark (i32.const 1))
      (call $write (i32.const 1) (i32.const 16) (i32.const 6))
      (call $write (i32.const 1) (i32.const 1024) (local.get $n))`)}`,
    READ,
  ),
  // Enables buffer_response and touches nothing but a header.
  buffering: module(
    `${MARK} ${START(3)} ${ON_REQUEST("")} ${ON_RESPONSE("(call $mark (i32.const 1))")}`,
    READ,
  ),
  // Lets nobody in who has no header x-seen.
  guarding: module(`
    ${ON_REQUEST(
      `(call $status (i32.const 401)) (call $write (i32.const 1) (i32.const 16) (i32.const 6))
      (call $set (i32.const 1) (i32.const 24) (i32.const 3) (i32.const 16) (i32.const 6))`,
      `(i64.shr_u (call $values (i32.const 0) (i32.const 16) (i32.const 6)
        (i32.const 0) (i32.const 0)) (i64.const 32))`,
    )} ${ON_RESPONSE()}`),
  // Tells of the gateway's failures.
  judging: module(`${START(2)} ${ON_REQUEST("")}
    ${ON_RESPONSE(`(if (local.get $error)
      (then (call $set
        (i32.const 1) (i32.const 24) (i32.const 3) (i32.const 24) (i32.const 3))))`)}`),
  // Its configuration is the new URI.
  moving: module(
    `${ON_REQUEST(
      "(call $uri (i32.const 1024) (call $config (i32.const 1024) (i32.const 1024)))",
    )} ${ON_RESPONSE()}`,
  ),
  // Counts its exchanges, and shows the count on the response.
  counting: module(`${START(2)}
    ${ON_REQUEST(`(i32.store8 (i32.const 1024)
      (i32.add (i32.const 1) (i32.load8_u (i32.const 1024))))`)}
    ${ON_RESPONSE(`(i32.store8 (i32.const 1025)
        (i32.add (i32.const 48) (i32.load8_u (i32.const 1024))))
      (call $set (i32.const 1) (i32.const 16) (i32.const 6) (i32.const 1025) (i32.const 1))`)}`),
  // Changes the response without having asked for it.
  trapping: module(`${ON_REQUEST("")} ${ON_RESPONSE("(call $status (i32.const 203))")}`),
  // Never returns.
  looping: module(`${ON_REQUEST("(loop $l (br $l))")} ${ON_RESPONSE()}`),
  // Proxy-Wasm: adds a header to the request.
  proxying: wat(`(module
    (import "env" "proxy_add_header_map_value"
      (func $add (param i32 i32 i32 i32 i32) (result i32)))
    ${PRELUDE} (data (i32.const 16) "x-proxy\\00yes")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $add (i32.const 0) (i32.const 16) (i32.const 7) (i32.const 24) (i32.const 3))))`),
};

const started = new AsyncDisposableStack();
const node = new ScriptedNode();
let gateway: Gateway;

beforeAll(async () => {
  started.use(node);
  const echo = started.use(echoNode());
  const sockets = started.use(webSocketNode());
  const echoed = [
    "marking",
    "reading",
    "doubling",
    "changing",
    "guarding",
    "counting",
    "trapping",
    "looping",
  ];
  gateway = started.use(
    await startGateway(
      `listen: 127.0.0.1:0
workers: 1
wasm:
  plugins:
    - { name: each, file: plugins/counting.wasm, instances: per_request }
    - { name: looping, limits: { deadline: 20ms } }
    - { name: open, file: plugins/trapping.wasm, fail: open }
routes:
${echoed.map((name) => route(name, `{ ${name}: {} }`, echo.address)).join("")}\
${route("each", "{ each: {} }", echo.address)}\
${route("open", "{ open: {} }", echo.address)}\
${route("chain", "{ marking: {}, proxying: {}, doubling: {}, changing: {} }", echo.address)}\
${route("dead", "{ judging: {} }", refusingAddress())}\
${route("alive", "{ judging: {} }", echo.address)}\
${route("moved", '{ moving: "/marking?moved" }', refusingAddress())}\
${route("socket", "{ buffering: {}, marking: {} }", sockets.address)}\
${route("events", "{ buffering: {} }", node.address)}`,
      {
        files: Object.fromEntries(
          Object.entries(MODULES).map(([name, bytes]) => [`plugins/${name}.wasm`, bytes]),
        ),
      },
    ),
  );
});

afterAll(() => started.disposeAsync());

describe("requests", () => {
  test("are marked, and so are their responses", async () => {
    const response = await gateway.fetch("/marking");
    expect(response.headers.get("x-seen")).toBe("yes");
    const echo = (await response.json()) as Echo;
    expect(echo.headers["x-seen"]).toBe("yes");
  });

  test.each([0, 5, 7, 64, 20_000])("of %d bytes that were read arrive whole", async (length) => {
    const body = "0123456789".repeat(2000).slice(0, length);
    const response = await gateway.fetch("/reading", { method: "POST", body });
    const echo = (await response.json()) as Echo;
    expect(echo.body).toBe(body);
  });

  test("arrive with the body that was written, and its length", async () => {
    const response = await gateway.fetch("/doubling", { method: "PUT", body: "hello, world" });
    const echo = (await response.json()) as Echo;
    expect(echo.body).toBe("hello, worldhello, world");
  });

  test("above limits.filter_buffer are refused when the plugin reads them", async () => {
    const body = new Uint8Array(2 * 1024 * 1024);
    const response = await gateway.fetch("/reading", { method: "POST", body });
    expect(response.status).toBe(413);
    await response.text();
    // On a connection of its own: the client may not know yet that the first one is being closed.
    const init = { method: "POST", body, keepalive: false };
    const untouched = await gateway.fetch("/marking", init);
    expect(untouched.status).toBe(200);
    await untouched.body?.cancel();
  });

  test("are answered in the upstream's place when next is 0", async () => {
    const response = await gateway.fetch("/guarding");
    expect(response.status).toBe(401);
    expect(response.headers.get("yes")).toBe("x-seen");
    expect(await response.text()).toBe("x-seen");
  });

  test("go to another route when the URI was changed", async () => {
    const response = await gateway.fetch("/moved");
    expect(response.status).toBe(200);
    const echo = (await response.json()) as Echo;
    expect(echo.target).toBe("/marking?moved");
  });
});

describe("responses", () => {
  test("are changed whole with buffer_response", async () => {
    const response = await gateway.fetch("/changing");
    expect(response.status).toBe(203);
    expect(response.headers.get("x-seen")).toBe("yes");
    const text = await response.text();
    expect(text).toStartWith('x-seen{"node":"echo"');
    expect(text).toEndWith("}");
  });

  test("of the gateway's own failures are told from others", async () => {
    const dead = await gateway.fetch("/dead");
    expect(dead.status).toBe(502);
    expect(dead.headers.get("yes")).toBe("yes");
    const alive = await gateway.fetch("/alive");
    expect(alive.status).toBe(200);
    expect(alive.headers.get("yes")).toBeNull();
  });

  test("that switch protocols do so, whatever is enabled", async () => {
    const client = await WebSocketClient.open(`ws://127.0.0.1:${gateway.port}/socket`);
    client.socket.send("hello");
    await client.untilMessages(1);
    expect(client.messages).toEqual(["hello"]);
    client.socket.close();
    await client.closed;
  });

  test("of events arrive event by event, whatever is enabled", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    node.on("/events", (call) => call.write(`${head}Transfer-Encoding: chunked\r\n\r\n`));
    using raw = await RawConnection.open(gateway.port);
    await raw.write(request("GET /events"));
    const call = await node.call("/events");
    await raw.until(/x-seen: yes/i);
    for (const event of ["one", "two"]) {
      await call.write(`5\r\n${event}\n\n\r\n`);
      await raw.until(new RegExp(event));
    }
    await gateway.logged(/does not hold event streams back/);
  });
});

describe("a chain of both ABIs", () => {
  test("changes both messages", async () => {
    const response = await gateway.fetch("/chain", { method: "POST", body: "ab" });
    expect(response.status).toBe(203);
    const text = await response.text();
    const echo = JSON.parse(text.slice("x-seen".length)) as Echo;
    expect(echo.body).toBe("abab");
    expect(echo.headers["x-seen"]).toBe("yes");
    expect(echo.headers["x-proxy"]).toBe("yes");
  });
});

describe("guests", () => {
  test("remember under shared, and begin anew under per_request", async () => {
    expect(await countsOf("/counting")).toEqual(["1", "2", "3"]);
    expect(await countsOf("/each")).toEqual(["1", "1", "1"]);
  });

  test("that loop are stopped, and others are served", async () => {
    const responses = await Promise.all(
      ["/looping", "/marking", "/looping"].map((path) => gateway.fetch(path)),
    );
    expect(responses.map(({ status }) => status)).toEqual([503, 200, 503]);
    await gateway.logged(/handle_request failed: it has used up its time: 20 ms/);
  });

  test("that trap fail as the plugin's `fail` says, with the reason in the log", async () => {
    const closed = await gateway.fetch("/trapping");
    expect(closed.status).toBe(503);
    const open = await gateway.fetch("/open");
    expect(open.status).toBe(200);
    await gateway.logged(/handle_response failed: Cannot change the status in handle_response/);
  });
});

describe("what the module is not", () => {
  const DRAFT = wat(`(module (import "http_handler" "next" (func)) (memory (export "memory") 1)
    (func (export "handle_request")))`);

  test("is told in the same words by validate, inspect and a reload", async () => {
    const says = 'the module is made for a draft of http-wasm: it imports "http_handler.next"';
    await using other = await startGateway(yamlOf("auto"), {
      files: { "plugins/draft.wasm": MODULES["marking"] ?? new Uint8Array() },
    });
    const path = join(other.folder, "plugins/draft.wasm");
    await Bun.write(path, DRAFT);
    await other.logged(new RegExp(says.replaceAll(".", "\\.")));
    expect((await other.fetch("/get")).status).toBe(200);
    const inspected = await sluice(["inspect", path]);
    expect(inspected.stdout).toContain(says);
    const validated = await sluice(["validate", "gateway.yaml"], { cwd: other.folder });
    expect(validated.code).not.toBe(0);
    expect(validated.stderr + validated.stdout).toContain(says);
  });

  test("is refused when abi says that it is something else", async () => {
    await using other = await startGateway(yamlOf("http-wasm"), {
      files: { "plugins/draft.wasm": MODULES["marking"] ?? new Uint8Array() },
    });
    const forced = yamlOf("proxy-wasm");
    await Bun.write(join(other.folder, "gateway.yaml"), withFront(forced));
    await other.logged(/no ABI marker/);
    await until(
      async () => (await other.fetch("/get")).headers.get("x-seen"),
      (seen) => seen === "yes",
    );
  });
});

function route(id: string, plugins: string, address: string): string {
  const upstream = `{ nodes: { "${address}": 1 } }`;
  return `  - { id: ${id}, uri: /${id}, plugins: ${plugins}, upstream: ${upstream} }\n`;
}

/** One plugin on every path, of that `abi`. */
function yamlOf(abi: string): string {
  return `listen: 127.0.0.1:0
wasm: { plugins: [{ name: draft, abi: ${abi} }] }
routes: [{ uri: /*, plugins: { draft: {} }, upstream: { nodes: { "builtin:httpbin": 1 } } }]
`;
}

/** x-seen of three responses, one after the other. */
async function countsOf(path: string): Promise<(string | null)[]> {
  const seen: (string | null)[] = [];
  for (let n = 0; n < 3; n++) seen.push((await gateway.fetch(path)).headers.get("x-seen"));
  return seen;
}

function module(text: string, more = ""): Uint8Array {
  return wat(`(module ${IMPORTS} ${more} ${MEMORY} ${text})`);
}

function webSocketNode() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (incoming, itself) =>
      itself.upgrade(incoming) ? undefined : new Response("no", { status: 400 }),
    websocket: { message: (socket, message) => void socket.send(message) },
  });
  return {
    address: `127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
