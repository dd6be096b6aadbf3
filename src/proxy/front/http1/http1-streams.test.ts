import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../base/errors.ts";
import { collect } from "../../../http/body.ts";
import type { Body, ByteRange } from "../../../http/body.ts";
import type { Answer, Incoming } from "../front.ts";
import { answer, eventually, QueueBody, RawClient, settled, startFront } from "./http1.testing.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const head = (lines: string): string => `POST /1 HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const NEXT = "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

function codeOf(error: unknown): string {
  return error instanceof GatewayError ? error.code : String(error);
}

/** A front whose requests are answered by the test itself. */
function openFront(bounds: Parameters<typeof startFront>[1] = {}) {
  const requests: { incoming: Incoming; reply: (answer: Answer) => void }[] = [];
  const front = startFront((incoming) => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    requests.push({ incoming, reply: resolve });
    return promise;
  }, bounds);
  /** The nth request, once it has arrived. */
  const request = async (n: number): Promise<(typeof requests)[number]> => {
    await eventually(() => requests.length > n);
    return requests[n] as (typeof requests)[number];
  };
  return { front, requests, request };
}

function bodyOf({ body }: Incoming): Body {
  if (body === undefined) throw new Error("Cannot go on without a body");
  return body;
}

describe("a request's body", () => {
  test("holds the client back while nobody reads, and arrives whole", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    const size = 64 * MIB;
    const bytes = Buffer.alloc(size, "0123456789abcdef");
    client.send(head(`Content-Length: ${size}\r\n`));
    client.send(bytes);
    const { incoming, reply } = await request(0);
    const body = bodyOf(incoming);
    expect(body.length).toBe(size);
    // What has left the client lies in the kernel's buffers and in ours: far less than the body.
    await settled(() => client.unsent);
    expect(client.unsent).toBeGreaterThan(size - 24 * MIB);
    const hash = new Bun.CryptoHasher("sha1");
    for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read())
      hash.update(chunk);
    expect(hash.digest("hex")).toBe(new Bun.CryptoHasher("sha1").update(bytes).digest("hex"));
    reply(answer("done"));
    expect((await client.answers(1))[0]?.body).toBe("done");
    front.close();
  });

  test("is not asked for before it is read: 100 Continue", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    client.send(head("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    const { incoming, reply } = await request(0);
    expect(client.text).toBe("");
    const chunk = bodyOf(incoming).read();
    await client.until(({ text }) => text === CONTINUE);
    client.send("hello");
    expect(String(await chunk)).toBe("hello");
    reply(answer("ok"));
    await client.until(({ text }) => text.endsWith("\r\n\r\nok"));
    expect(client.text.match(/100 Continue/g)).toHaveLength(1);
    client.send(NEXT);
    (await request(1)).reply(answer("next"));
    await client.until(({ text }) => text.endsWith("next"));
    front.close();
  });

  test("gets no 100 Continue when its bytes are there already, nor in HTTP/1.0", async () => {
    for (const version of ["1.1", "1.0"]) {
      const { front, request } = openFront();
      const client = await RawClient.open(front.port);
      client.send(
        `POST / HTTP/${version}\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
      );
      const { incoming, reply } = await request(0);
      expect(String(await collect(bodyOf(incoming), 100))).toBe("hi");
      reply(answer("ok", { close: true }));
      expect(await client.end()).toStartWith("HTTP/1.1 200 OK");
      front.close();
    }
  });

  test("gets no 100 Continue after a final answer, and the connection ends with it", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    client.send(head("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    const { incoming, reply } = await request(0);
    const stream = new QueueBody();
    reply(answer(stream));
    await client.until(({ text }) => text.endsWith("\r\n\r\n"));
    const chunk = Promise.try(() => bodyOf(incoming).read()).catch(codeOf);
    stream.push(undefined);
    expect(await client.end()).not.toContain("100 Continue");
    expect(client.text).toContain("Connection: close");
    expect(await chunk).toBe("CLIENT_GONE");
    front.close();
  });

  test("is dropped when it is small and unread, and the next request follows", async () => {
    for (const [lines, wire] of [
      ["Content-Length: 5000\r\n", "x".repeat(5000)],
      ["Transfer-Encoding: chunked\r\n", `1388\r\n${"x".repeat(5000)}\r\n0\r\n\r\n`],
    ] as const) {
      const { front, request } = openFront();
      const client = await RawClient.open(front.port);
      client.send(head(lines));
      (await request(0)).reply(answer("one"));
      await client.answers(1);
      for (let at = 0; at < wire.length; at += 1000) client.send(wire.slice(at, at + 1000));
      client.send(NEXT);
      const { incoming, reply } = await request(1);
      expect(incoming.target).toBe("/2");
      reply(answer("two"));
      await client.answers(2);
      front.close();
    }
  });

  test("ends the connection when it is big and unread, and the answer arrives", async () => {
    for (const lines of ["Content-Length: 10000000\r\n", "Transfer-Encoding: chunked\r\n"]) {
      const { front, request } = openFront();
      const client = await RawClient.open(front.port);
      client.send(head(lines));
      client.send(`30d40\r\n${"x".repeat(200_000)}`);
      (await request(0)).reply(answer("no", { status: 413 }));
      const got = await client.end();
      expect(got).toStartWith("HTTP/1.1 413 Content Too Large\r\n");
      expect(got).toEndWith("no");
      expect(client.over).toBe("end");
      // With a length it is clear from the start that the rest is too much to wait for.
      expect(got.includes("Connection: close")).toBe(lines.startsWith("Content-Length"));
      front.close();
    }
  });

  test("ends for its reader with cancel(), and what is pending answers undefined", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    client.send(`${head("Content-Length: 5\r\n")}he`);
    const { incoming, reply } = await request(0);
    const body = bodyOf(incoming);
    expect(String(await body.read())).toBe("he");
    const pending = body.read();
    body.cancel("enough");
    expect(await pending).toBeUndefined();
    expect(await body.read()).toBeUndefined();
    reply(answer("ok"));
    client.send(`llo${NEXT}`);
    (await request(1)).reply(answer("next"));
    expect((await client.answers(2))[1]?.body).toBe("next");
    front.close();
  });

  test("can be read while its answer is sent", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    client.send(head("Transfer-Encoding: chunked\r\n"));
    const { incoming, reply } = await request(0);
    reply(answer(bodyOf(incoming)));
    for (const word of ["one", "two", "six"]) {
      client.send(`3\r\n${word}\r\n`);
      await client.until(({ text }) => text.endsWith(`3\r\n${word}\r\n`));
    }
    client.send(`0\r\n\r\n${NEXT}`);
    (await request(1)).reply(answer("next"));
    await client.until(({ text }) => text.endsWith("next"));
    expect(client.text).toContain("six\r\n0\r\n\r\nHTTP/1.1 200");
    front.close();
  });
});

describe("a request's body: errors", () => {
  test.each([
    ["the client's reset", (client: RawClient) => client.abort()],
    ["the client's FIN", (client: RawClient) => client.finish()],
  ] as const)("breaks at %s in mid-body", async (_, leave) => {
    for (const lines of ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"]) {
      const { front, request } = openFront();
      const client = await RawClient.open(front.port);
      client.send(`${head(lines)}5\r\nhe`);
      const { incoming, reply } = await request(0);
      const body = bodyOf(incoming);
      await body.read();
      const pending = Promise.try(() => body.read()).catch(codeOf);
      leave(client);
      expect(await pending).toBe("CLIENT_GONE");
      reply(answer("too late"));
      await eventually(() => front.inFlight === 0);
      front.close();
    }
  });

  test("refuses a malformed body in its reader, answers, and ends the connection", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    client.send(`${head("Transfer-Encoding: chunked\r\n")}zz\r\n${NEXT}`);
    const { incoming, reply } = await request(0);
    const error = await Promise.try(() => bodyOf(incoming).read()).catch(codeOf);
    expect(error).toBe("REQUEST_MALFORMED");
    reply(answer("bad", { status: 400 }));
    const got = await client.end();
    expect(got).toContain("Connection: close\r\n");
    expect(got.match(/HTTP/g)).toHaveLength(1);
    front.close();
  });
});

describe("an answer's body", () => {
  /** Endless until `size`, made when it is read, so that it shows how much was read. */
  class Made implements Body {
    readonly length: number;
    readonly trailers = undefined;
    made = 0;
    cancelled = false;
    constructor(size: number) {
      this.length = size;
    }
    read(): Uint8Array | undefined {
      if (this.made >= this.length) return undefined;
      const chunk = Buffer.alloc(Math.min(64 * KIB, this.length - this.made), 120);
      this.made += chunk.length;
      return chunk;
    }
    cancel(): void {
      this.cancelled = true;
    }
  }

  /** Each chunk has other room in front of it. */
  class Roomy implements Body {
    readonly trailers = undefined;
    readonly length: number | undefined;
    readonly buffers: Buffer[] = [];
    readonly givesBuffer = true;
    #left = [
      { room: 4000, size: 5000 },
      { room: 0, size: 6000 },
      { room: 9, size: 20_000 },
    ];
    constructor(length: number | undefined) {
      this.length = length;
    }
    read(): Uint8Array | undefined {
      const next = this.#left.shift();
      if (next === undefined) return undefined;
      const buffer = Buffer.alloc(next.room + next.size, "g").fill("b", next.room);
      this.buffers.push(buffer);
      return buffer.subarray(next.room);
    }
    cancel(): void {
      this.#left = [];
    }
  }

  test.each([31_000, undefined])(
    "takes the room in front of it, and frees what was sent (length %p)",
    async (length) => {
      const body = new Roomy(length);
      const front = startFront(async () => answer(body));
      const client = await RawClient.open(front.port);
      client.send(NEXT);
      await client.until(({ bytes }) => bytes > 31_000);
      await eventually(() => front.inFlight === 0);
      const chunks = [...client.text.slice(client.text.indexOf("\r\n\r\n")).matchAll(/b+/g)];
      const runs = length === undefined ? [5000, 6000, 20_000] : [31_000];
      expect(chunks.map(([chunk]) => chunk.length)).toEqual(runs);
      expect(client.text).not.toContain("ggg");
      expect(body.buffers.map((buffer) => buffer.byteLength)).toEqual([0, 0, 0]);
      front.close();
    },
  );

  /** As a body that came with its head, in one chunk behind it. */
  class InPlace implements Body, ByteRange {
    readonly trailers = undefined;
    readonly buffer: Buffer;
    readonly start = 4096;
    readonly end: number;
    ended = false;
    cancelled = false;
    #taken = false;
    readonly length: number;
    constructor(length: number) {
      this.length = length;
      this.end = this.start + length;
      this.buffer = Buffer.alloc(this.end + 9, "g").fill("b", this.start, this.end);
    }
    read(): Uint8Array | undefined {
      this.ended = this.#taken;
      this.#taken = true;
      return this.ended ? undefined : this.buffer.subarray(this.start, this.end);
    }
    readInPlace(): ByteRange {
      this.#taken = true;
      return this;
    }
    cancel(): void {
      this.cancelled = true;
    }
  }

  test.each([1, 5000, 16 * MIB])(
    "is sent from where it lies, and read to its end (%d)",
    async (n) => {
      const body = new InPlace(n);
      const front = startFront(async () => answer(body));
      const client = await RawClient.open(front.port);
      client.pause();
      client.send(NEXT);
      await eventually(() => body.ended || n > 8 * MIB);
      client.resume();
      await client.until(({ bytes }) => bytes > n);
      await eventually(() => front.inFlight === 0);
      expect([body.ended, body.cancelled]).toEqual([true, false]);
      const sent = client.text.slice(client.text.indexOf("\r\n\r\n") + 4);
      expect(sent === "b".repeat(n)).toBe(true);
      expect(body.buffer.byteLength).toBe(n === 1 ? body.end + 9 : 0);
      front.close();
    },
  );

  test("is cancelled when the client goes while it waits where it lies", async () => {
    const body = new InPlace(64 * MIB);
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.pause();
    client.send(NEXT);
    await eventually(() => front.inFlight === 1);
    client.abort();
    await eventually(() => front.inFlight === 0);
    expect([body.ended, body.cancelled]).toEqual([false, true]);
    front.close();
  });

  test("is read no faster than the client takes it, and arrives whole", async () => {
    const body = new Made(64 * MIB);
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.counts = true;
    client.pause();
    client.send(NEXT);
    await eventually(() => body.made > 0);
    await settled(() => body.made);
    expect(body.made).toBeLessThan(24 * MIB);
    client.resume();
    await client.until(({ bytes }) => bytes > body.length);
    await eventually(() => front.inFlight === 0);
    expect(body.made).toBe(body.length);
    front.close();
  });

  test("loses nothing of a stream of small chunks to a slow client", async () => {
    const size = 1000;
    const count = 30_000;
    let made = 0;
    const body = new QueueBody();
    body.read = () => (made < count ? Buffer.alloc(size, made++) : undefined);
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.counts = true;
    client.pause();
    client.send(NEXT);
    await eventually(() => made > 0);
    await settled(() => made);
    expect(made).toBeLessThan(count);
    client.resume();
    const headBytes =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".length + "Date: ".length + 31;
    const wireBytes = headBytes + count * ("3e8\r\n\r\n".length + size) + "0\r\n\r\n".length;
    await client.until(({ bytes }) => bytes >= wireBytes);
    await settled(() => client.bytes);
    expect(client.bytes).toBe(wireBytes);
    front.close();
  });

  test.each([
    ["resets", (client: RawClient) => client.abort()],
    ["closes", (client: RawClient) => client.close()],
  ] as const)("is cancelled when the client %s in the middle", async (_, leave) => {
    const body = new Made(1024 * MIB);
    let incoming: Incoming | undefined;
    const front = startFront(async (asked) => {
      incoming = asked;
      return answer(body);
    });
    const client = await RawClient.open(front.port);
    client.counts = true;
    client.send(NEXT);
    await client.until(({ bytes }) => bytes > MIB);
    leave(client);
    await eventually(() => body.cancelled);
    expect(codeOf(incoming?.cancellation.reason)).toBe("CLIENT_GONE");
    expect(front.inFlight).toBe(0);
    front.close();
  });
});

describe("a client that goes", () => {
  test("before its answer cancels the request at once, and the answer when it comes", async () => {
    const { front, request } = openFront();
    const client = await RawClient.open(front.port);
    client.send(NEXT);
    const { incoming, reply } = await request(0);
    client.abort();
    await eventually(() => incoming.cancellation.cancelled);
    expect(front.inFlight).toBe(0);
    const late = new QueueBody();
    reply(answer(late));
    await eventually(() => late.isCancelled);
    front.close();
  });

  test("with a FIN only, and cannot be told from one that reads: gone after a while", async () => {
    const { front, request } = openFront({ halfClosedMs: 50 });
    const client = await RawClient.open(front.port);
    client.send(NEXT);
    const { incoming } = await request(0);
    client.finish();
    await eventually(() => incoming.cancellation.cancelled);
    expect(codeOf(incoming.cancellation.reason)).toBe("CLIENT_GONE");
    await client.end();
    front.close();
  });

  test("with a FIN only gets the answers to all that it has asked", async () => {
    const front = startFront(async ({ target }) => {
      await Bun.sleep(1);
      return answer(target);
    });
    const client = await RawClient.open(front.port);
    client.send(NEXT.repeat(100));
    client.finish();
    const got = await client.end();
    expect(got.match(/\r\n\r\n\/2/g)).toHaveLength(100);
    expect(client.over).toBe("end");
    expect(front.inFlight).toBe(0);
    front.close();
  });

  test("with a FIN only, but reads a slow answer to its end", async () => {
    const body = new QueueBody();
    const { front, request } = openFront({ halfClosedMs: 40 });
    const client = await RawClient.open(front.port);
    client.send(NEXT);
    client.finish();
    (await request(0)).reply(answer(body));
    await client.until(({ text }) => text.endsWith("\r\n\r\n"));
    body.push("one");
    await client.until(({ text }) => text.includes("one"));
    // Another one ends its side later and is sent nothing: when it is given up, so would this be.
    const silent = await RawClient.open(front.port);
    silent.send(NEXT);
    silent.finish();
    const { incoming } = await request(1);
    await eventually(() => incoming.cancellation.cancelled);
    body.push("two");
    body.push(undefined);
    expect(await client.end()).toEndWith("3\r\ntwo\r\n0\r\n\r\n");
    expect(body.isCancelled).toBe(false);
    front.close();
  });
});
