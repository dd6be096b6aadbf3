/**
 * What passes while it is still coming: bodies piece by piece both ways, server-sent events, early
 * answers, trailers, whole bodies to the byte, kept connections, and clients that leave.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ask, BOTH_FRONTS, FRONTS, portOf, request, valuesOf } from "./support/fronts.ts";
import { type Gateway, startGateway, until } from "./support/gateway.ts";
import { RawConnection } from "./support/raw-client.ts";
import { ScriptedNode } from "./support/scripted-node.ts";

const SDK = join(import.meta.dir, "../guests/rust-sdk/examples.wasm");
const MIB = 1024 * 1024;
const EVENT_STREAM = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";

let node: ScriptedNode;
let gateway: Gateway;

const started = new AsyncDisposableStack();

beforeAll(async () => {
  node = started.use(new ScriptedNode());
  gateway = started.use(
    await startGateway(`${BOTH_FRONTS}
routes:
  - { id: all, uri: /*, upstream: { nodes: { "${node.address}": 1 } } }
  - id: appended
    uri: /appended/*
    upstream: { nodes: { "${node.address}": 1 } }
    plugins:
      - { sdk: append request A }
      - { sdk: append response B }
      - { sdk: body quicksilver }
limits: { filter_buffer: 8MiB }
wasm:
  plugins: [{ name: sdk, file: ${JSON.stringify(SDK)}, limits: { memory: 64MiB, deadline: 2s } }]
`),
  );
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("front %s", (front) => {
  const port = (): number => portOf(gateway, front);

  describe("a response body", () => {
    test("of server-sent events arrives event by event", async () => {
      const path = `/events-${front}`;
      node.on(path, (call) => call.write(EVENT_STREAM + CHUNKED));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      for (const event of ["data: one\n\n", "data: two\n\n", "data: three\n\n"]) {
        await call.write(chunk(event));
        await raw.until(new RegExp(event.trim()));
      }
      expect(valuesOf(raw.received.split("\r\n"), "content-type")).toEqual(["text/event-stream"]);
      await call.write("0\r\n\r\n");
      const [response] = await raw.responses(1);
      expect(response?.body).toBe("data: one\n\ndata: two\n\ndata: three\n\n");
    });

    test("of a known length arrives piece by piece", async () => {
      const path = `/pieces-${front}`;
      node.on(path, (call) => call.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"));
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      await call.write("one");
      await raw.until(/one/);
      await call.write("two");
      expect((await raw.responses(1))[0]?.body).toBe("onetwo");
    });
  });

  describe("a request body", () => {
    test("of chunks arrives chunk by chunk", async () => {
      const path = `/chunks-${front}`;
      using raw = await RawConnection.open(port());
      await raw.write(request(`POST ${path}`, ["Transfer-Encoding: chunked"]));
      await raw.write(chunk("one"));
      const call = await node.call(path);
      await call.bodyHas("one");
      await raw.write(chunk("two"));
      await call.bodyHas("onetwo");
      expect(call.complete).toBe(false);
      await raw.write("0\r\n\r\n");
      await call.whole();
      expect((await raw.responses(1))[0]?.status).toBe(200);
    });

    test("of a known length arrives piece by piece", async () => {
      const path = `/known-${front}`;
      using raw = await RawConnection.open(port());
      await raw.write(request(`PUT ${path}`, ["Content-Length: 6"], "one"));
      const call = await node.call(path);
      await call.bodyHas("one");
      expect(call.complete).toBe(false);
      await raw.write("two");
      expect((await call.whole()).toString()).toBe("onetwo");
      expect((await raw.responses(1))[0]?.status).toBe(200);
    });

    test("and the response run at the same time", async () => {
      const path = `/duplex-${front}`;
      node.on(path, (call) => call.write(`HTTP/1.1 200 OK\r\n${CHUNKED}`));
      using raw = await RawConnection.open(port());
      await raw.write(request(`POST ${path}`, ["Transfer-Encoding: chunked"], chunk("0")));
      const call = await node.call(path);
      for (const turn of ["1", "2", "3"]) {
        await raw.write(chunk(`up${turn}`));
        await call.bodyHas(`up${turn}`);
        await call.write(chunk(`down${turn}`));
        await raw.until(new RegExp(`down${turn}`));
      }
      await raw.write("0\r\n\r\n");
      await call.whole();
      await call.write("0\r\n\r\n");
      expect((await raw.responses(1))[0]?.body).toBe("down1down2down3");
    });

    test("is cut off when the node has answered without it", async () => {
      const path = `/early-${front}`;
      node.on(path, (call) => call.write("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"));
      using raw = await RawConnection.open(port());
      await raw.write(request(`POST ${path}`, [`Content-Length: ${10 * MIB}`], "begin"));
      expect((await raw.responses(1))[0]).toMatchObject({ status: 401, body: "no" });
      await (await node.call(path)).gone();
      expect((await ask(port(), request("GET /after"))).status).toBe(200);
    });
  });

  test.each([
    { method: "POST", folder: "", added: "" },
    { method: "PUT", folder: "", added: "" },
    { method: "POST", folder: "/appended", added: "AB" },
  ])(
    "a body of 3 MiB to $method $folder comes back as it went, with a length and in chunks",
    async ({ method, folder, added }) => {
      const path = `${folder}/echo-${method}-${front}`;
      node.on(path, async (call) => {
        const whole = await call.whole();
        if (call.header("x-chunked") === undefined) await call.reply("200 OK", [], whole);
        else await call.write(Buffer.concat([...chunkedReply(whole)]));
      });
      const body = new Uint8Array(3 * MIB + 7);
      for (let at = 0; at < body.length; at += 65_536) {
        crypto.getRandomValues(body.subarray(at, Math.min(at + 65_536, body.length)));
      }
      const sent = new Bun.CryptoHasher("sha256").update(body).update(added).digest("hex");
      for (const headers of [{}, { "X-Chunked": "1" }]) {
        const pieces = new Response(body).body as ReadableStream<Uint8Array>;
        for (const init of [{ body }, { body: pieces }]) {
          const url = `http://127.0.0.1:${port()}${path}`;
          const received = await (await fetch(url, { method, headers, ...init })).arrayBuffer();
          expect(new Bun.CryptoHasher("sha256").update(received).digest("hex")).toBe(sent);
        }
      }
    },
  );

  describe("connections to the node", () => {
    test("are used again, one request after the other", async () => {
      const path = `/reuse-${front}`;
      for (let n = 0; n < 20; n++) {
        await ask(port(), request(`POST ${path}`, ["Content-Length: 2"], "hi"));
      }
      const used = new Set(node.callsTo(path).map(({ connection }) => connection));
      expect(used.size).toBe(1);
    });

    test("are as many as there are requests at a time", async () => {
      const path = `/parallel-${front}`;
      node.on(path, async (call) => {
        await node.call(path, 9);
        await call.reply("200 OK", [], "");
      });
      const asked = Array.from({ length: 10 }, () => ask(port(), request(`GET ${path}`)));
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 200));
      const used = new Set(node.callsTo(path).map(({ connection }) => connection));
      expect(used.size).toBe(10);
    });

    test("are not used again when the node says close, or has closed them", async () => {
      const path = `/closing-${front}`;
      const ends = ["Connection: close", "Connection: keep-alive, Close", "X-Then: end", "X: 4"];
      for (const [number, line] of ends.entries()) {
        node.on(path, async (call) => {
          await call.reply("200 OK", [line], "");
          if (line === "X-Then: end") call.end();
        });
        expect((await ask(port(), request(`POST ${path}`, ["Content-Length: 0"]))).status).toBe(
          200,
        );
        // The gateway has to know of the end before the next request.
        if (number < 3) await (await node.call(path, number)).gone();
      }
      const used = new Set(node.callsTo(path).map(({ connection }) => connection));
      expect(used.size).toBe(4);
    });
  });

  describe("a client that leaves", () => {
    test("before the response head ends the exchange at the node", async () => {
      const path = `/leaves-early-${front}`;
      node.on(path, () => {});
      const raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      raw.close();
      await call.gone();
    });

    test("in the middle of the response ends the exchange at the node", async () => {
      const path = `/leaves-late-${front}`;
      node.on(path, (call) => call.write(`HTTP/1.1 200 OK\r\n${CHUNKED}${chunk("one")}`));
      const raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      await raw.until(/one/);
      raw.close();
      await (await node.call(path)).gone();
    });

    test("without reading a long response ends the exchange at the node", async () => {
      const path = `/leaves-full-${front}`;
      const length = 64 * MIB;
      node.on(path, async (call) => {
        await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
        await call.write(new Uint8Array(length));
      });
      const raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      await raw.until(/\r\n\r\n/);
      raw.pause();
      const call = await node.call(path);
      raw.close();
      await call.gone();
    });

    test("in the middle of its upload ends the exchange at the node", async () => {
      const path = `/leaves-upload-${front}`;
      const raw = await RawConnection.open(port());
      await raw.write(request(`POST ${path}`, ["Transfer-Encoding: chunked"], chunk("one")));
      const call = await node.call(path);
      await call.bodyHas("one");
      raw.close();
      await call.gone();
      expect(call.complete).toBe(false);
    });

    test("is no warning in the log", async () => {
      const path = `/leaves-quietly-${front}`;
      node.on(path, () => {});
      const from = gateway.lines.length;
      const raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      const call = await node.call(path);
      raw.close();
      await call.gone();
      // What comes after it has been logged when this has been: one worker writes both.
      node.on(`${path}-then`, (then) => then.reset());
      await ask(port(), request(`POST ${path}-then`, ["Content-Length: 0"]));
      const logged = (): string[] =>
        gateway.lines.slice(from).filter((line) => / (warn|error) /.test(line));
      await until(logged, (lines) => lines.some((line) => line.includes("UPSTREAM_RESET")));
      expect(logged().filter((line) => !line.includes("UPSTREAM_RESET"))).toEqual([]);
    });
  });
});

describe("front http1", () => {
  // Bun.serve holds back the end of a head until the first byte of its body.
  test("sends a response's head when nothing else has come", async () => {
    node.on("/head-first", (call) => call.write(`HTTP/1.1 200 OK\r\nX-Early: 1\r\n${CHUNKED}`));
    using raw = await RawConnection.open(http1Port());
    await raw.write(request("GET /head-first"));
    await raw.until(/X-Early: 1\r\n[^]*\r\n\r\n/);
    await (await node.call("/head-first")).write("0\r\n\r\n");
    expect((await raw.responses(1))[0]?.body).toBe("");
  });

  test.each(["in one piece", "in two"])("forwards trailers that come %s", async (pieces) => {
    const path = `/trailers-${pieces.replaceAll(" ", "-")}`;
    node.on(path, async (call) => {
      await call.whole();
      const head = `HTTP/1.1 200 OK\r\n${CHUNKED}${chunk("hi")}`;
      const end = "0\r\nX-Sum: 7\r\n\r\n";
      if (pieces === "in one piece") await call.write(head + end);
      else await call.write(head);
    });
    const body = `${chunk("hello")}0\r\nX-Check: 5\r\n\r\n`;
    const lines = ["TE: trailers", "Connection: TE", "Transfer-Encoding: chunked"];
    using raw = await RawConnection.open(http1Port());
    await raw.write(request(`POST ${path}`, lines, body));
    await raw.until(/hi/);
    const call = await node.call(path);
    if (pieces === "in two") await call.write("0\r\nX-Sum: 7\r\n\r\n");
    await raw.responses(1);
    expect(raw.received).toEndWith("\r\n0\r\nX-Sum: 7\r\n\r\n");
    expect(call.trailers).toEqual(["X-Check: 5"]);
    expect(call.all("te")).toEqual(["trailers"]);
  });

  test("keeps trailers from a client that has not asked for them", async () => {
    node.on("/no-te", (call) => call.write(`HTTP/1.1 200 OK\r\n${CHUNKED}${chunk("hi")}`));
    using raw = await RawConnection.open(http1Port());
    await raw.write(request("GET /no-te"));
    await raw.until(/hi/);
    await (await node.call("/no-te")).write("0\r\nX-Sum: 7\r\n\r\n");
    await raw.responses(1);
    expect(raw.received).toEndWith("\r\n0\r\n\r\n");
  });

  test("sends 100 Continue when the body is wanted, and not before", async () => {
    using raw = await RawConnection.open(http1Port());
    await raw.write(request("POST /expects", ["Expect: 100-continue", "Content-Length: 5"]));
    await raw.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    await raw.write("hello");
    expect((await raw.responses(1))[0]?.status).toBe(200);
    const call = await node.call("/expects");
    expect(call.body.toString()).toBe("hello");
    expect(call.all("expect")).toEqual([]);
  });

  test("answers a client that has sent its FIN and still reads", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    node.on("/half-closed", async (call) => {
      await promise;
      await call.reply("200 OK", [], "late");
    });
    const raw = await RawConnection.open(http1Port());
    await raw.write(request("GET /half-closed"));
    await node.call("/half-closed");
    raw.shutdown();
    resolve();
    expect((await raw.responses(1))[0]?.body).toBe("late");
    raw.close();
  });
});

function http1Port(): number {
  return portOf(gateway, "http1");
}

/** One chunk of a chunked body. */
/** In chunks of many sizes. */
function* chunkedReply(body: Buffer): Generator<Buffer> {
  yield Buffer.from(`HTTP/1.1 200 OK\r\n${CHUNKED}`);
  for (let at = 0, n = 0; at < body.length; n++) {
    const piece = body.subarray(at, at + ([1, 700, 5000, 70_000, 300_000][n % 5] ?? 1));
    yield Buffer.from(`${piece.length.toString(16)}\r\n`);
    yield piece;
    yield Buffer.from("\r\n");
    at += piece.length;
  }
  yield Buffer.from("0\r\n\r\n");
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
