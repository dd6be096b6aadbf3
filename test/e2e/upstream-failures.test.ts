/**
 * Nodes that are down, slow, broken or cut off: what the client is told (a code and an id, never an
 * internal message), what it never gets (a broken body that looks complete), and what is tried
 * again on another node.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  ask,
  BOTH_FRONTS,
  failureIn,
  type FrontName,
  FRONTS,
  portOf,
  request,
} from "./support/fronts.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { refusingAddress } from "./support/nodes.ts";
import { parseResponses, RawConnection } from "./support/raw-client.ts";
import { type NodeCall, ScriptedNode } from "./support/scripted-node.ts";

const HEAD = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const KNOWN = `${HEAD}Content-Length: 9\r\n\r\npart`;
const READ_MS = 200;
const TOTAL_MS = 400;

let node: ScriptedNode;
/** Stands beside `node` in the upstream "pair". */
let other: ScriptedNode;
let full: FullNode;
let gateway: Gateway;

const started = new AsyncDisposableStack();

beforeAll(async () => {
  node = started.use(new ScriptedNode());
  other = started.use(new ScriptedNode());
  full = started.use(await FullNode.start());
  const dead = refusingAddress();
  gateway = started.use(
    await startGateway(`${BOTH_FRONTS}
upstreams:
  - id: main
    nodes: { "${node.address}": 1 }
  - { id: dead, nodes: { "${dead}": 1 } }
  - { id: unknown, nodes: { "no-such-host.invalid:80": 1 } }
  - { id: full, nodes: { "${full.address}": 1 }, timeout: { connect: 150ms } }
  - { id: half, nodes: { "${node.address}": 1, "${dead}": 1 } }
  - { id: half-once, nodes: { "${node.address}": 1, "${dead}": 1 }, retries: 0 }
  - { id: pair, nodes: { "${node.address}": 1, "${other.address}": 1 } }
routes:
  - { id: main, uri: /*, upstream_id: main }
  - { id: read, uri: /read/*, upstream_id: main, timeout: { read: ${READ_MS}ms } }
  - { id: total, uri: /total/*, upstream_id: main, timeout: { total: ${TOTAL_MS}ms } }
${["dead", "unknown", "full", "half", "half-once", "pair"]
  .map((id) => `  - { id: ${id}, uri: /${id}/*, upstream_id: ${id} }`)
  .join("\n")}
`),
  );
});

afterAll(() => started.disposeAsync());

/** What a node does, and what the client is told then. */
const BEFORE_THE_HEAD: readonly [name: string, code: string, act: (call: NodeCall) => unknown][] = [
  ["resets the connection", "502 UPSTREAM_RESET", (call) => call.reset()],
  ["closes without an answer", "502 UPSTREAM_RESET", (call) => call.end()],
  ["closes in the status line", "502 UPSTREAM_RESET", (call) => closeAfter(call, "HTTP/1.1 20")],
  ["closes in its head", "502 UPSTREAM_RESET", (call) => closeAfter(call, `${HEAD}X-A: 1\r\n`)],
  ["answers garbage", "502 UPSTREAM_BAD_RESPONSE", (call) => call.write("SSH-2.0-OpenSSH\r\n")],
  ["answers with status 999", bad(), (call) => call.write("HTTP/1.1 999 X\r\n\r\n")],
  ["answers in HTTP/2", bad(), (call) => call.write("HTTP/2 200 OK\r\n\r\n")],
  ["sends two lengths", bad(), (call) => answer(call, "Content-Length: 5\r\nContent-Length: 6")],
  ["sends a list of lengths", bad(), (call) => answer(call, "Content-Length: 5, 5")],
  ["sends a negative length", bad(), (call) => answer(call, "Content-Length: -5")],
  [
    "frames twice",
    bad(),
    (call) => answer(call, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
  ],
  ["uses an unknown coding", bad(), (call) => answer(call, "Transfer-Encoding: gzip, chunked")],
  ["sends NUL in a line", bad(), (call) => answer(call, "X-A: \0")],
  ["folds a line", bad(), (call) => answer(call, "X-A: 1\r\n 2")],
  ["sends a line without a name", bad(), (call) => answer(call, ": 1")],
  ["sends an endless head", bad(), (call) => answer(call, `X-A: ${"a".repeat(70_000)}`)],
  ["sends too many lines", bad(), (call) => answer(call, "X-A: 1\r\n".repeat(300))],
  ["sends interim answers for ever", bad(), (call) => call.write(CONTINUE.repeat(20))],
  [
    "switches protocols unasked",
    bad(),
    (call) => call.write("HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"),
  ],
];
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** How a response goes on whose body has begun with "part"; the client must notice. */
const IN_THE_BODY: readonly [name: string, begin: string, act: (call: NodeCall) => unknown][] = [
  ["closes before the last byte", KNOWN, (call) => call.end()],
  ["resets before the last byte", KNOWN, (call) => call.reset()],
  ["closes between two chunks", `${CHUNKED}4\r\npart\r\n`, (call) => call.end()],
  ["resets between two chunks", `${CHUNKED}4\r\npart\r\n`, (call) => call.reset()],
  ["closes in a chunk", `${CHUNKED}9\r\npart`, (call) => call.end()],
  ["closes in the trailers", `${CHUNKED}4\r\npart\r\n0\r\nX-T: 1`, (call) => call.end()],
  ["resets a body that ends with the connection", `${HEAD}\r\npart`, (call) => call.reset()],
  ["sends a broken chunk size", `${CHUNKED}4\r\npart\r\n`, (call) => call.write("zz\r\n")],
  ["sends a chunk beyond its size", `${CHUNKED}4\r\npart`, (call) => call.write(" and more")],
];

describe.each(FRONTS)("front %s", (front) => {
  const port = (): number => portOf(gateway, front);

  describe("a node that", () => {
    test.each([...BEFORE_THE_HEAD])("%s is answered with %s", async (name, expected, act) => {
      const path = pathFor(front, name);
      node.on(path, (call) => void act(call));
      const reply = await ask(port(), request(`POST ${path}`, ["Content-Length: 0"]));
      expect(`${reply.status} ${failureIn(reply).code}`).toBe(expected);
      expect(node.callsTo(path).length).toBe(1);
      await node.callsTo(path)[0]?.gone(); // Nothing more is expected of that connection.
    });

    test.each([...IN_THE_BODY])("%s breaks the client's connection", async (name, begin, act) => {
      const path = pathFor(front, name);
      node.on(path, (call) => call.write(begin));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      await raw.until(/part/);
      await act(await node.call(path));
      expect(await raw.closed()).toBe(true);
      expect(isComplete(raw.received)).toBe(false);
      expect(raw.received).not.toContain("error");
    });

    test("falls silent in a body breaks the client's connection", async () => {
      const path = `/read/silent-body-${front}`;
      node.on(path, (call) => call.write(`${CHUNKED}4\r\npart\r\n`));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      await raw.until(/part/);
      expect(await raw.closed()).toBe(true);
      expect(isComplete(raw.received)).toBe(false);
      await (await node.call(path)).gone();
    });

    test.each([
      ["dead", "502 UPSTREAM_CONNECT_FAILED"],
      ["unknown", "502 UPSTREAM_RESOLVE_FAILED"],
      ["full", "504 UPSTREAM_CONNECT_TIMEOUT"],
    ])("is %s is answered with %s", async (upstream, expected) => {
      const reply = await ask(port(), request(`GET /${upstream}/x`));
      expect(`${reply.status} ${failureIn(reply).code}`).toBe(expected);
    });
  });

  describe("a timeout", () => {
    test("for reading ends a request that gets no answer, and not before", async () => {
      const path = `/read/silent-${front}`;
      node.on(path, () => {});
      const startedMs = performance.now();
      const reply = await ask(port(), request(`GET ${path}`));
      expect(`${reply.status} ${failureIn(reply).code}`).toBe("504 UPSTREAM_READ_TIMEOUT");
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(READ_MS - 1);
      await (await node.call(path)).gone();
    });

    test("for reading starts anew with every byte", async () => {
      const path = `/read/slow-${front}`;
      node.on(path, (call) => call.write(CHUNKED));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      const startedMs = performance.now();
      while (performance.now() - startedMs < 2 * READ_MS) {
        await call.write("1\r\n.\r\n");
        await Bun.sleep(10);
      }
      await call.write("0\r\n\r\n");
      expect((await raw.responses(1))[0]?.body).toMatch(/^\.+$/);
    });

    test("in all ends a request that gets no answer", async () => {
      const path = `/total/silent-${front}`;
      node.on(path, () => {});
      const startedMs = performance.now();
      const reply = await ask(port(), request(`GET ${path}`));
      expect(`${reply.status} ${failureIn(reply).code}`).toBe("504 UPSTREAM_TOTAL_TIMEOUT");
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(TOTAL_MS - 1);
    });

    test("in all breaks off a body however alive it is", async () => {
      const path = `/total/lively-${front}`;
      node.on(path, (call) => call.write(CHUNKED));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      while (!(await raw.closed(10))) await call.write("1\r\n.\r\n");
      await call.gone();
      expect(isComplete(raw.received)).toBe(false);
    });
  });

  describe("the answer to a failure", () => {
    test("tells nothing of what is behind the gateway", async () => {
      node.on("/secret", (call) => call.reset());
      for (const path of ["/dead/x", "/unknown/x", "/secret"]) {
        using raw = await RawConnection.open(port());
        await raw.write(request(`POST ${path}`, ["Content-Length: 0"]));
        await raw.responses(1);
        expect(raw.received).not.toMatch(/127\.0\.0\.1|invalid|ECONN|upstream "|at \w+ \(|node/);
      }
    });

    test("has the id under which the log tells why", async () => {
      const from = gateway.lines.length;
      const { requestId } = failureIn(await ask(port(), request("GET /dead/logged")));
      const line = await gateway.logged(new RegExp(`request_id=${requestId}\\b`), from);
      expect(line).toMatch(
        / warn .*Cannot connect to 127\.0\.0\.1:\d+.* code=UPSTREAM_CONNECT_FAILED/,
      );
      const again = failureIn(await ask(port(), request("GET /dead/logged")));
      expect(again.requestId).not.toBe(requestId);
    });

    test("leaves the connection open for the next request", async () => {
      using raw = await RawConnection.open(port());
      await raw.write(request("GET /dead/first"));
      await raw.responses(1);
      await raw.write(request("GET /second"));
      expect((await raw.responses(2)).map(({ status }) => status)).toEqual([502, 200]);
    });

    test("has no body for HEAD", async () => {
      using raw = await RawConnection.open(port());
      await raw.write(request("HEAD /dead/x", ["Connection: close"]));
      await raw.closed();
      expect(raw.received).toMatch(/^HTTP\/1\.1 502 [^]*\r\n\r\n$/);
    });
  });

  describe("another node", () => {
    test("takes over for one that is down, whatever the method", async () => {
      for (const method of ["GET", "POST", "PATCH", "GET", "POST", "DELETE"]) {
        const text = request(`${method} /half/${method}`, ["Content-Length: 5"], "hello");
        expect((await ask(port(), text)).status).toBe(200);
      }
      expect(node.callsTo("/half/POST").at(-1)?.body.toString()).toBe("hello");
    });

    test("is not asked when there are no retries", async () => {
      const statuses: number[] = [];
      for (let n = 0; n < 4; n++) {
        statuses.push((await ask(port(), request("GET /half-once/x"))).status);
      }
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 502, 502]);
    });

    test.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])(
      "repeats %s after a reset",
      async (method) => {
        const path = `/pair/${method}-${front}`;
        resetThenAnswer(path);
        const body = method === "PUT" ? "hello" : "";
        const lines = [`Content-Length: ${body.length}`, "Connection: close"];
        using raw = await RawConnection.open(port());
        await raw.write(request(`${method} ${path}`, lines, body));
        await raw.closed();
        expect(raw.received).toStartWith("HTTP/1.1 200 ");
        const calls = [...node.callsTo(path), ...other.callsTo(path)];
        expect(calls.map((call) => call.body.toString())).toEqual([body, body]);
      },
    );

    test.each(["POST", "PATCH"])("does not repeat %s after a reset", async (method) => {
      const path = `/pair/${method}-${front}`;
      resetThenAnswer(path);
      const reply = await ask(port(), request(`${method} ${path}`, ["Content-Length: 5"], "hello"));
      expect(`${reply.status} ${failureIn(reply).code}`).toBe("502 UPSTREAM_RESET");
      expect(node.callsTo(path).length + other.callsTo(path).length).toBe(1);
    });

    test("is not asked once the response has begun", async () => {
      const path = `/pair/begun-${front}`;
      for (const each of [node, other]) each.on(path, (call) => call.write(KNOWN));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      await raw.until(/part/);
      for (const call of [...node.callsTo(path), ...other.callsTo(path)]) call.reset();
      expect(await raw.closed()).toBe(true);
      expect(node.callsTo(path).length + other.callsTo(path).length).toBe(1);
    });

    test("is asked for a request that was sent into a connection just closed", async () => {
      const path = `/stale-${front}`;
      for (let n = 0; n < 10; n++) {
        await ask(port(), request(`GET ${path}`));
        // The node closes, and the next request may meet that on its way.
        node.callsTo(path).at(-1)?.end();
        expect((await ask(port(), request(`GET ${path}`))).status).toBe(200);
      }
    });
  });
});

/** The first of the pair that is asked resets, the other one answers. */
function resetThenAnswer(path: string): void {
  let asked = 0;
  for (const each of [node, other]) {
    each.on(path, async (call) => {
      if (asked++ > 0) return call.reply("200 OK", [], "");
      await call.whole();
      call.reset();
    });
  }
}

function bad(): string {
  return "502 UPSTREAM_BAD_RESPONSE";
}

function pathFor(front: FrontName, name: string): string {
  return `/${name.replaceAll(/\W/g, "-")}-${front}`;
}

function answer(call: NodeCall, lines: string): Promise<void> {
  return call.write(`${HEAD}${lines}\r\n\r\nhello`);
}

async function closeAfter(call: NodeCall, bytes: string): Promise<void> {
  await call.write(bytes);
  call.end();
}

/** Whether a client would take it for a whole response, the connection being closed behind it. */
function isComplete(received: string): boolean {
  if (received === "") return false;
  try {
    return parseResponses(received).length > 0;
  } catch {
    return false;
  }
}

/**
 * Its kernel has as many connections waiting as it takes: another one is neither taken nor refused.
 */
class FullNode implements Disposable {
  readonly address: string;
  readonly #child: Bun.Subprocess;
  readonly #sockets: Bun.Socket[];

  constructor(address: string, child: Bun.Subprocess, sockets: Bun.Socket[]) {
    this.address = address;
    this.#child = child;
    this.#sockets = sockets;
  }

  static async start(): Promise<FullNode> {
    const listen = `
      const l = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      console.log(l.port);`;
    const child = Bun.spawn({
      cmd: [process.execPath, "-e", listen],
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { value } = await child.stdout.getReader().read();
    const port = Number(Buffer.from(value ?? []).toString());
    child.kill("SIGSTOP");
    const sockets: Bun.Socket[] = [];
    for (;;) {
      const socket = await connectWithin(port, 100);
      if (socket === undefined) return new FullNode(`127.0.0.1:${port}`, child, sockets);
      sockets.push(socket);
    }
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#child.kill("SIGKILL");
  }
}

/** undefined when the connection does not come about in time. */
function connectWithin(port: number, ms: number): Promise<Bun.Socket | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(undefined), ms);
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data() {},
        open(socket) {
          clearTimeout(late);
          resolve(socket);
        },
      },
    }).catch(() => {}); // It may still be refused, long after, when the node has ended.
  });
}
