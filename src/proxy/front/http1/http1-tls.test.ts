import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { deadlines } from "../../../base/deadlines.ts";
import { collect, MemoryBody } from "../../../http/body.ts";
import { encrypted, makeCertificate } from "../../../../test/support/certificates.ts";
import type { Incoming } from "../front.ts";
import {
  answer,
  type Answering,
  eventually,
  QueueBody,
  RawClient,
  startFront,
} from "./http1.testing.ts";

const GET = "GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n";
const MIB = 1024 * 1024;
const ok: Answering = async () => answer("ok");
const made = makeCertificate(["a.test"]);
const tls = [{ snis: ["a.test"], ...made }];
/** What a client needs to trust it. */
const trust = { ca: made.cert, serverName: "a.test" };

/** The client's first message, or the beginning of one. */
const HELLO = Buffer.from("16030100c6010000c20303", "hex");

describe("startHttp1Front() with a certificate", () => {
  test("answers request after request, and pipelined ones, and tells of https", async () => {
    const seen: Incoming[] = [];
    const handle: Answering = async (incoming) => {
      seen.push(incoming);
      return answer("ok");
    };
    const front = startFront(handle, {}, tls);
    const client = await RawClient.open(front.port, trust);
    client.send(GET);
    await client.answers(1);
    client.send(GET.repeat(10));
    const answers = await client.answers(11);
    expect(answers.map(({ body }) => body).join()).toBe(Array(11).fill("ok").join());
    expect(seen.map(({ scheme }) => scheme)).toEqual(Array(11).fill("https"));
    expect(seen[0]).toMatchObject({ remoteAddress: "127.0.0.1", localPort: front.port });
    expect(new Set(seen.map(({ connectionId }) => connectionId)).size).toBe(1);
    front.close();
  });

  test.each([
    ["a client that reads slowly", true],
    ["one that reads at once", false],
  ])("sends and takes 10 MiB whole: %s", async (_name, isSlow) => {
    const bytes = Buffer.from(Array.from({ length: 10 * MIB }, (_, at) => at % 251));
    let received: Uint8Array | undefined;
    const handle: Answering = async ({ body }) => {
      if (body !== undefined) received = await collect(body, 20 * MIB);
      return answer(new MemoryBody(received ?? bytes));
    };
    const front = startFront(handle, {}, tls);
    const client = await RawClient.open(front.port, trust);
    if (isSlow) client.pause();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    client.send(bytes);
    await eventually(() => received !== undefined);
    client.resume();
    const [echo] = await client.answers(1);
    expect(Buffer.from(received ?? []).equals(bytes)).toBe(true);
    expect(Buffer.from(echo?.body ?? "", "latin1").equals(bytes)).toBe(true);
    front.close();
  });

  test("reads no faster from a body than the client takes it", async () => {
    let read = 0;
    const body = new QueueBody();
    body.read = () => (read < 64 ? Buffer.alloc(MIB, read++) : undefined);
    const front = startFront(async () => answer(body), {}, tls);
    const client = await RawClient.open(front.port, trust);
    client.counts = true;
    client.pause();
    client.send(GET);
    await eventually(() => read > 0);
    expect(read).toBeLessThan(64);
    client.resume();
    await client.until(({ bytes }) => bytes > 64 * MIB);
    front.close();
  });

  test("answers what is malformed, and then ends the connection", async () => {
    const front = startFront(ok, {}, tls);
    const client = await RawClient.open(front.port, trust);
    client.send("GET\r\n\r\n");
    expect(await client.end()).toStartWith("HTTP/1.1 400 Bad Request\r\n");
    front.close();
  });

  test("answers a client that has ended its side", async () => {
    const front = startFront(ok, {}, tls);
    const client = await RawClient.open(front.port, trust);
    client.send(GET);
    client.finish();
    expect(await client.end()).toEndWith("\r\n\r\nok");
    front.close();
  });

  test("never lets a broken answer look complete", async () => {
    const body = new QueueBody();
    const front = startFront(async () => answer(body), {}, tls);
    const { promise, resolve } = Promise.withResolvers<string>();
    const client = connect({ port: front.port, ...trust, servername: "a.test" });
    client.on("secureConnect", () => client.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n"));
    client.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    client.on("end", () => resolve("end"));
    client.on("data", () => body.push(new Error("broken")));
    body.push("one");
    expect(await promise).toBe("ECONNRESET");
    front.close();
  });

  test("tells nothing to a client that does not begin with TLS", async () => {
    const front = startFront(ok, {}, tls);
    const client = await RawClient.open(front.port);
    client.send(GET);
    // At most an alert: no byte of HTTP.
    expect(await client.end()).not.toContain("HTTP");
    await eventually(() => front.inFlight === 0);
    front.close();
  });

  test("takes TLS 1.2 and 1.3, and neither older ones nor a protocol but http/1.1", async () => {
    const front = startFront(ok, {}, tls);
    const shake = (flags: string): string => {
      const cmd = ["openssl", "s_client", "-connect", `127.0.0.1:${front.port}`];
      return [...cmd, ...flags.split(" ")].join(" ");
    };
    const ask = async (flags: string): Promise<string> => {
      const child = Bun.spawn(["sh", "-c", `${shake(flags)} </dev/null 2>&1`]);
      return await child.stdout.text();
    };
    expect(await ask("-tls1_3 -alpn h2,http/1.1")).toContain("ALPN protocol: http/1.1");
    expect(await ask("-tls1_2")).toContain("Cipher is ECDHE-ECDSA-AES");
    const old = "-cipher ALL:@SECLEVEL=0";
    expect(await ask(`-tls1_1 ${old}`)).toContain("alert protocol version");
    expect(await ask(`-tls1 ${old}`)).toContain("alert protocol version");
    expect(await ask("-alpn h2")).toContain("alert no application protocol");
    front.close();
  });

  test("refuses several certificates, and a key that cannot be read", () => {
    const other = { snis: ["b.test"], ...makeCertificate(["b.test"]) };
    const message = "Cannot have 2 certificates on the front http1: it has one";
    expect(() => startFront(ok, {}, [...tls, other])).toThrow(message);
    const locked = { snis: ["a.test"], cert: made.cert, key: encrypted(made.key) };
    expect(() => startFront(ok, {}, [locked])).toThrow();
    const mixed = { snis: ["a.test"], cert: made.cert, key: other.key };
    expect(() => startFront(ok, {}, [mixed])).toThrow();
  });
});

describe("the end of a connection", () => {
  test.each([
    ["that was idle", ""],
    ["that asked for the end", GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")],
    ["that sent what is no request", "GET\r\n\r\n"],
  ])("%s is one, also when the client never answers to it", async (_, text) => {
    const front = startFront(ok, { keepAliveMs: 50, lingerMs: 50 }, tls);
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(front.port, trust)));
    await eventually(() => openSockets(front.port) === 3);
    for (const client of clients) client.pause();
    for (const client of clients) client.send(text);
    await eventually(() => openSockets(front.port) === 0);
    // What was sent is there all the same.
    for (const client of clients) client.resume();
    const got = await Promise.all(clients.map((client) => client.end()));
    const head = text === "" ? "" : text === "GET\r\n\r\n" ? "HTTP/1.1 400" : "HTTP/1.1 200";
    expect(got.map((each) => each.slice(0, 12))).toEqual([head, head, head]);
    front.close();
  });
});

/** Connections to that port that this process has not given back to the system. */
function openSockets(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/self/net/tcp", "latin1").split("\n").slice(1, -1);
  return rows.filter((row) => {
    const [, address = "", , state, , , , , , inode] = row.trim().split(/\s+/);
    const listens = state === "0A";
    return address.endsWith(local) && !listens && inode !== "0";
  }).length;
}

describe("a handshake", () => {
  test.each([
    ["never begins", Buffer.alloc(0)],
    ["never ends", HELLO],
  ])("that %s is closed in time, and leaves nothing behind", async (_, bytes) => {
    const armed = deadlines.armed;
    const front = startFront(ok, { handshakeMs: 60 }, tls);
    const startMs = performance.now();
    const client = await RawClient.open(front.port);
    // A byte now and then must not buy more time.
    const drip = setInterval(() => client.send(bytes.subarray(0, 1)), 10);
    client.send(bytes);
    expect(await client.end()).toBe("");
    clearInterval(drip);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(55);
    expect(performance.now() - startMs).toBeLessThan(2000);
    await front.stop();
    expect(deadlines.armed).toBeLessThanOrEqual(armed); // Those of other tests may have passed.
  });

  test("that is through has a request to wait for, as long as any connection", async () => {
    const front = startFront(ok, { handshakeMs: 50, keepAliveMs: 200 }, tls);
    const client = await RawClient.open(front.port, trust);
    await Bun.sleep(80); // Longer than a handshake may take.
    client.send(GET);
    expect(await client.answers(1)).toHaveLength(1);
    expect((await client.end()).match(/HTTP/g)).toHaveLength(1);
    front.close();
  });

  test("that the client breaks off leaves nothing behind: FIN, reset and garbage", async () => {
    const armed = deadlines.armed;
    const front = startFront(ok, { handshakesMax: 3 }, tls);
    // More often than the bound: whoever is not counted out would use it up.
    for (let n = 0; n < 4; n++) {
      for (const leave of ["finish", "close", "abort"] as const) {
        const client = await RawClient.open(front.port);
        client.send(HELLO);
        client[leave]();
        if (leave === "finish") await client.end();
      }
      const garbage = await RawClient.open(front.port);
      garbage.send("\x16\x03\x01\x00\x05hello");
      await garbage.end();
      const proper = await RawClient.open(front.port, trust);
      proper.send(GET);
      expect(await proper.answers(1)).toHaveLength(1);
      proper.close();
    }
    await front.stop();
    expect(deadlines.armed).toBeLessThanOrEqual(armed); // Those of other tests may have passed.
  });

  test("is one too many beyond their number, which those that are through are not", async () => {
    const front = startFront(ok, { handshakesMax: 2, handshakeMs: 5000 }, tls);
    const through = await RawClient.open(front.port, trust);
    const waiting = [await RawClient.open(front.port), await RawClient.open(front.port)];
    for (const client of waiting) client.send(HELLO);
    const third = await RawClient.open(front.port);
    await third.end();
    through.send(GET);
    expect(await through.answers(1)).toHaveLength(1);
    waiting[0]?.abort();
    await eventually(() => waiting[0]?.over !== undefined);
    const again = await RawClient.open(front.port, trust);
    again.send(GET);
    expect(await again.answers(1)).toHaveLength(1);
    front.close();
  });

  test("is cut off when the front stops or closes, and goes on when it retires", async () => {
    for (const way of ["stop", "close"] as const) {
      const front = startFront(ok, {}, tls);
      const client = await RawClient.open(front.port);
      client.send(HELLO);
      void front[way]();
      await client.end();
      await front.stop();
    }
    const front = startFront(ok, { handshakeMs: 50 }, tls);
    const client = await RawClient.open(front.port);
    client.send(HELLO);
    const retired = front.retire();
    const startMs = performance.now();
    await client.end();
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(20);
    await retired;
  });
});

describe("retire()", () => {
  test("leaves the connections alone, and resolves when the last one is closed", async () => {
    const front = startFront(ok, {}, tls);
    const client = await RawClient.open(front.port, trust);
    client.send(GET);
    await client.answers(1);
    const retired = front.retire();
    let isRetired = false;
    void retired.then(() => (isRetired = true));
    client.send(GET.repeat(3));
    const answers = await client.answers(4);
    expect(answers.map(({ head }) => head).join()).not.toContain("close");
    expect(isRetired).toBe(false);
    const isRefused = await RawClient.open(front.port).then(
      () => false,
      () => true,
    );
    expect(isRefused).toBe(true);
    client.close();
    await retired;
  });

  test("is followed by stop(), which closes what is idle", async () => {
    const front = startFront(ok, {}, tls);
    const client = await RawClient.open(front.port, trust);
    client.send(GET);
    await client.answers(1);
    void front.retire();
    await front.stop();
    expect(await client.end()).toEndWith("ok");
  });
});
