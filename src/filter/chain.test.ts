import { describe, expect, test } from "bun:test";
import { GatewayError } from "../base/errors.ts";
import { type Body, collect, MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import { FilterChain } from "./chain.ts";
import type { Direction, FilterHost, HttpFilter, LocalReply, Plugin } from "./filter.ts";
import {
  FakeExchange,
  type FilterCallbacks,
  ManualBody,
  pluginOf,
  startFilter,
} from "./testing.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);

function chainOf(
  plugins: readonly Plugin[],
  options: { bufferBytesMax?: number; onInterrupt?: () => void } = {},
): FilterChain {
  return new FilterChain(plugins, new FakeExchange(), options.bufferBytesMax ?? 1024, {
    interrupted: options.onInterrupt ?? (() => {}),
  });
}

/** Runs the headers of that direction. @returns the body as it leaves the last filter */
async function bodyThrough(chain: FilterChain, direction: Direction, source: Body): Promise<Body> {
  if (direction === "request") await chain.requestHeaders(source);
  else await chain.responseHeaders(source);
  const body = chain.body(direction);
  if (body === undefined) throw new Error("The chain has dropped the body");
  return body;
}

const reply = (status: number): LocalReply => ({
  status,
  headers: new HeaderList(),
  body: bytes("no"),
  details: "test",
});

describe("FilterChain", () => {
  test("runs request callbacks in order and response callbacks reversed", async () => {
    const calls: string[] = [];
    const noting = (name: string): Plugin =>
      pluginOf(name, {
        onRequestHeaders: () => (calls.push(`${name} request`), "continue"),
        onResponseHeaders: () => (calls.push(`${name} response`), "continue"),
        onEnd: () => calls.push(`${name} end`),
      });
    const chain = chainOf([noting("a"), noting("b"), noting("c")]);
    await chain.requestHeaders(undefined);
    await chain.responseHeaders(undefined);
    chain.end();
    expect(calls).toEqual([
      "a request",
      "b request",
      "c request",
      "c response",
      "b response",
      "a response",
      "a end",
      "b end",
      "c end",
    ]);
  });

  test("leaves bodies alone when no filter reads them", async () => {
    const chain = chainOf([pluginOf("a", { onRequestHeaders: () => "continue" })]);
    const body = new MemoryBody(bytes("x"));
    expect(await bodyThrough(chain, "request", body)).toBe(body);
    expect(await bodyThrough(chain, "response", body)).toBe(body);
  });

  test("waits for a paused filter before the next one", async () => {
    const calls: string[] = [];
    let paused: FilterHost | undefined;
    const chain = chainOf([
      pluginOf("a", { onRequestHeaders: (host) => ((paused = host), "pause") }),
      pluginOf("b", { onRequestHeaders: () => (calls.push("b"), "continue") }),
    ]);
    const done = chain.requestHeaders(undefined);
    await Promise.resolve();
    expect(calls).toEqual([]);
    paused?.resume("request");
    await done;
    expect(calls).toEqual(["b"]);
  });

  test("tells the end of a stream with the last chunk when the length is known", async () => {
    const seen: [number, boolean][] = [];
    const chain = chainOf([
      pluginOf("a", { onRequestBody: (_, length, end) => (seen.push([length, end]), "continue") }),
    ]);
    const body = await bodyThrough(chain, "request", new MemoryBody(bytes("abc")));
    expect(text(await collect(body, 99))).toBe("abc");
    expect(seen).toEqual([[3, true]]);
  });

  test("tells it in a callback of its own when the length is not known", async () => {
    const seen: [number, boolean][] = [];
    const chain = chainOf([
      pluginOf("a", { onRequestBody: (_, length, end) => (seen.push([length, end]), "continue") }),
    ]);
    const source = new ManualBody();
    for (const chunk of ["ab", "c", undefined]) source.push(chunk);
    const body = await bodyThrough(chain, "request", source);
    expect(text(await collect(body, 99))).toBe("abc");
    expect(seen).toEqual([
      [2, false],
      [1, false],
      [0, true],
    ]);
  });
});

describe("FilterChain with a filter that changes a body", () => {
  const shout: FilterCallbacks = {
    onResponseBody(host, _length, end) {
      if (!end) return "pause";
      const window = host.body("response");
      const whole = text(window?.read(0, 1e9));
      window?.splice(0, 1e9, bytes(`<${whole.toUpperCase()}>`));
      return "continue";
    },
  };

  test("gives a paused filter everything at once and releases what it made of it", async () => {
    const chain = chainOf([pluginOf("shout", shout)]);
    await chain.requestHeaders(undefined);
    const source = new ManualBody();
    for (const chunk of ["he", "llo", undefined]) source.push(chunk);
    const body = await bodyThrough(chain, "response", source);
    expect(body.length).toBeUndefined();
    expect(text(await collect(body, 99))).toBe("<HELLO>");
  });

  test("passes a body through several filters in response order", async () => {
    const wrap = (name: string): Plugin =>
      pluginOf(name, {
        onResponseBody(host, length) {
          if (length > 0) host.body("response")?.splice(0, 0, bytes(name));
          return "continue";
        },
      });
    const chain = chainOf([wrap("a"), wrap("b")]);
    await chain.requestHeaders(undefined);
    const body = await bodyThrough(chain, "response", new MemoryBody(bytes("x")));
    expect(text(await collect(body, 99))).toBe("abx");
  });

  test("lets go of a paused body when the filter resumes between chunks", async () => {
    let paused: FilterHost | undefined;
    const chain = chainOf([
      pluginOf("a", {
        onRequestBody: (host, _length, end) => ((paused = host), end ? "continue" : "pause"),
      }),
    ]);
    const source = new ManualBody();
    const body = await bodyThrough(chain, "request", source);
    source.push("one");
    const first = body.read();
    await Bun.sleep(0);
    paused?.resume("request");
    expect(text(await first)).toBe("one");
    // The read that the resume has overtaken is not lost.
    source.push("two");
    source.push(undefined);
    expect(text(await collect(body, 99))).toBe("two");
  });

  test("lets go of a body that is resumed before anybody waits for that", async () => {
    const calls: number[] = [];
    const chain = chainOf([
      pluginOf("a", {
        onRequestBody(host, length, end) {
          calls.push(length);
          if (end) return "continue";
          // What another exchange's call of the same guest may do in between.
          queueMicrotask(() => host.resume("request"));
          return "pause";
        },
      }),
    ]);
    const source = new ManualBody();
    source.push("ab");
    const body = await bodyThrough(chain, "request", source);
    expect(text(await body.read())).toBe("ab");
    source.push(undefined);
    expect(await body.read()).toBeUndefined();
    expect(calls).toEqual([2, 0]);
  });

  test("lets go of a body that is resumed in the moment in which more of it comes", async () => {
    let host: FilterHost | undefined;
    const calls: number[] = [];
    const chain = chainOf([
      pluginOf("a", {
        onRequestBody: (h, length) => ((host = h), calls.push(length), "pause"),
      }),
    ]);
    const source = new ManualBody();
    const body = await bodyThrough(chain, "request", source);
    const first = body.read();
    source.push("ab");
    while (calls.length === 0) await Promise.resolve();
    for (let n = 0; n < 20; n++) await Promise.resolve();
    source.push("cd");
    host?.resume("request");
    expect(text(await first)).toBe("ab");
    expect(calls).toEqual([2]);
  });

  test("holds the headers for a filter that streams and has no callback for the body", async () => {
    let host: FilterHost | undefined;
    const chain = chainOf([
      pluginOf("a", {
        onRequestHeaders: (h) => ((host = h), "pause-stream"),
        onRequestTrailers: () => "continue",
      }),
    ]);
    const source = new ManualBody();
    source.push(undefined);
    let done = false;
    const waiting = chain.requestHeaders(source)?.then(() => (done = true));
    for (let n = 0; n < 20; n++) await Promise.resolve();
    expect(done).toBe(false);
    host?.resume("request");
    await waiting;
  });

  test("tells the length of a body that it has whole, unless trailers follow", async () => {
    for (const trailers of [undefined, HeaderList.from([["x", "1"]])]) {
      const chain = chainOf([
        pluginOf("a", {
          onRequestHeaders: () => "pause-stream",
          onRequestBody: (_, __, end) => (end ? "continue" : "pause"),
          onRequestTrailers: () => "continue",
        }),
      ]);
      const body = await bodyThrough(chain, "request", new MemoryBody(bytes("ab"), trailers));
      expect(body.length).toBe(trailers === undefined ? 2 : undefined);
    }
  });

  test("shows no filter what it has let go of", async () => {
    for (const end of [true, false]) {
      let host: FilterHost | undefined;
      const chain = chainOf([pluginOf("a", { onRequestBody: (h) => ((host = h), "pause") })]);
      const source = new ManualBody();
      const body = await bodyThrough(chain, "request", source);
      const read = body.read();
      source.push("ab");
      if (end) source.push(undefined);
      while (host?.body("request") === undefined) await Promise.resolve();
      for (let n = 0; n < 20; n++) await Promise.resolve();
      host.resume("request");
      expect(text(await read)).toBe("ab");
      expect(host.body("request")).toBeUndefined();
    }
  });

  test("delivers trailers after the last chunk, which is then not the end", async () => {
    const calls: string[] = [];
    const chain = chainOf([
      pluginOf("a", {
        onRequestBody: (_, length, end) => (calls.push(`body ${length} ${end}`), "continue"),
        onRequestTrailers: () => (calls.push("trailers"), "continue"),
      }),
    ]);
    const source = new ManualBody();
    source.trailers = HeaderList.from([["x-sum", "1"]]);
    for (const chunk of ["abc", undefined]) source.push(chunk);
    await collect(await bodyThrough(chain, "request", source), 99);
    expect(calls).toEqual(["body 3 false", "trailers"]);
  });
});

describe("FilterHost.setBody()", () => {
  test("replaces body and trailers for the filters that follow", async () => {
    let seen = "";
    const source = new ManualBody();
    const chain: FilterChain = chainOf([
      pluginOf("a", {
        onRequestHeaders(host) {
          chain.addTrailers("request").append("gone", "1");
          host.setBody("request", bytes("new"), HeaderList.from([["kept", "2"]]));
          return "continue";
        },
      }),
      pluginOf("b", {
        onRequestBody: (host) => {
          seen = text(host.body("request")?.read(0, 9));
          return "continue";
        },
      }),
    ]);
    const body = await bodyThrough(chain, "request", source);
    expect(text(await collect(body, 99))).toBe("new");
    expect([...(body.trailers ?? [])]).toEqual([["kept", "2"]]);
    expect(seen).toBe("new");
    expect(source.cancelled).toBeDefined();
  });
});

describe("FilterChain.reply", () => {
  test("stops the request, and its response passes every started filter", async () => {
    const calls: string[] = [];
    const chain = chainOf([
      pluginOf("a", { onResponseHeaders: () => (calls.push("a"), "continue") }),
      pluginOf("b", {
        onRequestHeaders: (host) => (host.localReply(reply(403)), "pause"),
        onResponseHeaders: () => (calls.push("b"), "continue"),
      }),
      pluginOf("c", { onResponseHeaders: () => (calls.push("c"), "continue") }),
    ]);
    await chain.requestHeaders(undefined);
    expect(chain.interrupted).toBe(true);
    expect(chain.reply?.status).toBe(403);
    await chain.responseHeaders(undefined);
    expect(calls).toEqual(["b", "a"]); // c was never started.
  });

  test("is the first one; later ones are told that they are too late", async () => {
    const taken: boolean[] = [];
    const twice: FilterCallbacks = {
      onRequestHeaders(host) {
        taken.push(host.localReply(reply(401)), host.localReply(reply(402)));
        return "continue";
      },
      onResponseHeaders(host) {
        taken.push(host.localReply(reply(500)));
        return "continue";
      },
    };
    const chain = chainOf([pluginOf("a", twice)]);
    await chain.requestHeaders(undefined);
    await chain.responseHeaders(undefined);
    expect(chain.reply?.status).toBe(401);
    expect(taken).toEqual([true, false, false]);
  });

  test("wakes a pause, and tells the proxy when nobody was in a callback", async () => {
    let host: FilterHost | undefined;
    let interrupts = 0;
    const chain = chainOf([pluginOf("a", { onRequestHeaders: (h) => ((host = h), "pause") })], {
      onInterrupt: () => interrupts++,
    });
    const done = chain.requestHeaders(undefined);
    await Promise.resolve();
    host?.localReply(reply(429));
    await done;
    expect(chain.reply?.status).toBe(429);
    expect(interrupts).toBe(1);
  });

  test("breaks a request body that is still being sent", async () => {
    const chain = chainOf([
      pluginOf("a", { onRequestBody: (host) => (host.localReply(reply(403)), "continue") }),
    ]);
    const body = await bodyThrough(chain, "request", new MemoryBody(bytes("abc")));
    expect(() => body.read()).toThrow("answered it already");
    expect(chain.reply?.status).toBe(403);
  });

  test("from a response callback goes on through the filters that are left", async () => {
    const calls: string[] = [];
    const chain = chainOf([
      pluginOf("a", { onResponseHeaders: () => (calls.push("a"), "continue") }),
      pluginOf("b", {
        onResponseHeaders: (host) => (calls.push("b"), host.localReply(reply(502)), "continue"),
      }),
      pluginOf("c", { onResponseHeaders: () => (calls.push("c"), "continue") }),
    ]);
    await chain.requestHeaders(undefined);
    await chain.responseHeaders(undefined);
    expect(calls).toEqual(["c", "b"]);
    expect(chain.reply?.status).toBe(502);
    await chain.responseHeaders(undefined);
    expect(calls).toEqual(["c", "b", "a"]);
  });

  test("has no trailers of the response that it replaces", async () => {
    const chain: FilterChain = chainOf([
      pluginOf("outer", {
        onResponseHeaders: (host) => (host.localReply(reply(418)), "continue"),
      }),
      pluginOf("inner", {
        onResponseHeaders: () => (chain.addTrailers("response").append("x", "1"), "continue"),
      }),
    ]);
    await chain.requestHeaders(undefined);
    await chain.responseHeaders(new MemoryBody(bytes("yes")));
    chain.dropBody("response", "replaced");
    await chain.responseHeaders(new MemoryBody(bytes("no")));
    expect(chain.trailers("response")).toBeUndefined();
    expect(chain.body("response")?.trailers).toBeUndefined();
  });

  test("comes too late when the response has been sent", async () => {
    const chain = chainOf([pluginOf("a", {})]);
    await chain.requestHeaders(undefined);
    chain.markResponseSent();
    expect(chain.acceptReply(reply(500))).toBe(false);
    expect(chain.reply).toBeUndefined();
  });
});

describe("FilterChain errors", () => {
  const boom: FilterCallbacks = {
    onRequestHeaders() {
      throw new Error("unreachable executed");
    },
    onResponseHeaders() {
      throw new Error("called after its failure");
    },
    onEnd() {
      throw new Error("called after its failure");
    },
  };

  test("a filter that fails closed ends the request and is not called again", async () => {
    const chain = chainOf([pluginOf("boom", boom)]);
    const failure = caught(() => chain.requestHeaders(undefined));
    expect(failure).toBeInstanceOf(GatewayError);
    expect((failure as GatewayError).code).toBe("FILTER_FAILED");
    await chain.responseHeaders(undefined);
    chain.end();
  });

  test("a filter that fails open is skipped", async () => {
    const calls: string[] = [];
    const chain = chainOf([
      pluginOf("boom", boom, { failOpen: true }),
      pluginOf("b", { onRequestHeaders: () => (calls.push("b"), "continue") }),
    ]);
    await chain.requestHeaders(undefined);
    await chain.responseHeaders(undefined);
    chain.end();
    expect(calls).toEqual(["b"]);
  });

  test("a filter that fails open in mid-body lets go of what it held", async () => {
    let calls = 0;
    const chain = chainOf([
      pluginOf(
        "late",
        {
          onRequestBody() {
            if (++calls === 2) throw new Error("boom");
            return "pause";
          },
        },
        { failOpen: true },
      ),
    ]);
    const source = new ManualBody();
    for (const chunk of ["a", "b", "c", undefined]) source.push(chunk);
    const body = await bodyThrough(chain, "request", source);
    expect(text(await collect(body, 99))).toBe("abc");
    expect(calls).toBe(2);
  });

  test("a plugin that cannot start a filter counts as failed", async () => {
    const broken: Plugin = {
      ...pluginOf("broken", {}),
      createFilter() {
        throw new Error("no guest");
      },
    };
    expect(() => chainOf([broken]).requestHeaders(undefined)).toThrow("no guest");
    await chainOf([{ ...broken, failOpen: true }]).requestHeaders(undefined);
  });

  test("gives back a filter that was waited for until the exchange was over", async () => {
    let ends = 0;
    const ready = pluginOf("a", { onEnd: () => ends++ });
    const coming = Promise.withResolvers<HttpFilter>();
    const chain = chainOf([{ ...ready, createFilter: () => coming.promise }]);
    const done = chain.requestHeaders(undefined);
    chain.end();
    coming.resolve(startFilter(ready, {} as FilterHost));
    await done;
    expect(ends).toBe(1);
  });

  test("refuses to hold more than its buffer, by direction", async () => {
    const hold: FilterCallbacks = { onRequestBody: () => "pause", onResponseBody: () => "pause" };
    for (const [direction, code] of [
      ["request", "FILTER_REQUEST_BUFFER_FULL"],
      ["response", "FILTER_RESPONSE_BUFFER_FULL"],
    ] as const) {
      const chain = chainOf([pluginOf("hold", hold)], { bufferBytesMax: 4 });
      if (direction === "response") await chain.requestHeaders(undefined);
      const source = new ManualBody();
      source.push("12345");
      const body = await bodyThrough(chain, direction, source);
      const failure = await collect(body, 99).catch((error: unknown) => error);
      expect((failure as GatewayError).code).toBe(code);
    }
  });

  test("a guest that dies under a paused filter ends the pause by policy", async () => {
    const dead = new GatewayError("FILTER_FAILED", "the guest was stopped");
    for (const failOpen of [false, true]) {
      let host: FilterHost | undefined;
      const calls: string[] = [];
      const chain = chainOf([
        pluginOf("a", { onRequestHeaders: (h) => ((host = h), "pause") }, { failOpen }),
        pluginOf("b", { onRequestHeaders: () => (calls.push("b"), "continue") }),
      ]);
      const done = chain.requestHeaders(undefined);
      await Promise.resolve();
      host?.fail(dead);
      host?.fail(dead);
      await done;
      expect(chain.failure).toBe(failOpen ? undefined : dead);
      expect(calls).toEqual(failOpen ? ["b"] : []);
    }
  });

  test("a reset, and a client that has gone, wake whoever waits", async () => {
    let host: FilterHost | undefined;
    const chain = chainOf([pluginOf("a", { onRequestHeaders: (h) => ((host = h), "pause") })]);
    const done = chain.requestHeaders(undefined);
    await Promise.resolve();
    host?.reset();
    await done;
    expect(chain.failure?.code).toBe("FILTER_RESET");
    chain.interrupt(new GatewayError("CLIENT_GONE", "later"));
    expect(chain.failure?.code).toBe("FILTER_RESET");
  });
});

function caught(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
