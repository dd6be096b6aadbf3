import { describe, expect, test } from "bun:test";
import type { GatewayError } from "../base/errors.ts";
import { type Body, collect, MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import { FilterChain } from "./chain.ts";
import type { Direction, FilterHost, LocalReply, Plugin } from "./filter.ts";
import { FakeExchange, type FilterCallbacks, ManualBody, pluginOf } from "./testing.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);
const turn = (): Promise<void> => Bun.sleep(0);

function chainOf(plugins: readonly Plugin[], bufferBytesMax = 1024): FilterChain {
  const exchange = new FakeExchange();
  return new FilterChain(plugins, exchange, bufferBytesMax, { interrupted() {} });
}

const reply = (status: number): LocalReply => ({
  status,
  headers: new HeaderList(),
  body: bytes("no"),
  details: "test",
});

/** Runs the headers of that direction; says in `calls` when they are through. */
async function headersOf(
  chain: FilterChain,
  direction: Direction,
  body: Body | undefined,
  calls: string[] = [],
): Promise<void> {
  if (direction === "request") await chain.requestHeaders(body);
  else await chain.responseHeaders(body);
  calls.push("released");
}

/** The same callbacks in either direction. */
function callbacksOf(
  direction: Direction,
  headers: NonNullable<FilterCallbacks["onRequestHeaders"]>,
  body?: FilterCallbacks["onRequestBody"],
): FilterCallbacks {
  return direction === "request"
    ? { onRequestHeaders: headers, ...(body && { onRequestBody: body }) }
    : { onResponseHeaders: headers, ...(body && { onResponseBody: body }) };
}

async function chainFor(direction: Direction, plugins: readonly Plugin[], bufferBytesMax?: number) {
  const chain = chainOf(plugins, bufferBytesMax);
  if (direction === "response") await chain.requestHeaders(undefined);
  return chain;
}

const bodyThrough = async (chain: FilterChain, direction: Direction): Promise<string> => {
  const body = chain.body(direction);
  return body === undefined ? "none" : text(await collect(body, 999));
};

describe.each(["request", "response"] as const)("a %s body that is all there", (direction) => {
  const letsGo = callbacksOf(
    direction,
    () => "continue",
    () => "continue",
  );

  test("goes through its filters without a promise, so that it leaves with its head", async () => {
    const chain = await chainFor(direction, [pluginOf("a", letsGo), pluginOf("b", letsGo)]);
    await headersOf(chain, direction, new MemoryBody(bytes("whole")));
    const body = chain.body(direction);
    expect(body?.read()).toEqual(bytes("whole"));
    expect(body?.read()).toBeUndefined();
  });

  test("is waited for while a filter pauses it", async () => {
    const host: { current?: FilterHost } = {};
    const pauses = callbacksOf(
      direction,
      () => "continue",
      (given) => ((host.current = given), "pause"),
    );
    const chain = await chainFor(direction, [pluginOf("a", pauses), pluginOf("b", letsGo)]);
    await headersOf(chain, direction, new MemoryBody(bytes("whole")));
    const read = chain.body(direction)?.read();
    expect(read).toBeInstanceOf(Promise);
    host.current?.resume(direction);
    expect(text(await read)).toBe("whole");
  });
});

describe.each(["request", "response"] as const)('"pause-stream" on %s headers', (direction) => {
  test("holds them while the filter gets the body, until it lets go", async () => {
    const calls: string[] = [];
    const chain = await chainFor(direction, [
      pluginOf(
        "judge",
        callbacksOf(
          direction,
          (_, end) => (calls.push(`headers ${end}`), "pause-stream"),
          (_, length, end) => (
            calls.push(`${length} ${end}`),
            length < 4 && !end ? "pause" : "continue"
          ),
        ),
      ),
    ]);
    const source = new ManualBody();
    const done = headersOf(chain, direction, source, calls);
    for (const chunk of ["ab", "cd", "ef", undefined]) {
      source.push(chunk);
      await turn();
    }
    await done;
    expect(calls).toEqual(["headers false", "2 false", "4 false", "released"]);
    expect(await bodyThrough(chain, direction)).toBe("abcdef");
    expect(calls.slice(4)).toEqual(["2 false", "2 true"]);
  });

  test("tells the length when the whole body is there before the head leaves", async () => {
    const chain = await chainFor(direction, [
      pluginOf(
        "change",
        callbacksOf(
          direction,
          () => "pause-stream",
          (host, _, end) => {
            if (!end) return "pause";
            host.body(direction)?.splice(0, 1, bytes("<<"));
            return "continue";
          },
        ),
      ),
    ]);
    await headersOf(chain, direction, new MemoryBody(bytes("abc")));
    expect(chain.body(direction)?.length).toBe(4);
    expect(await bodyThrough(chain, direction)).toBe("<<bc");
  });

  test("ends with resume(), with and without bytes, and nothing is lost", async () => {
    for (const early of [[], ["ab"]]) {
      let host: FilterHost | undefined;
      const calls: string[] = [];
      const chain = await chainFor(direction, [
        pluginOf(
          "waits",
          callbacksOf(
            direction,
            (h) => ((host = h), "pause-stream"),
            (_, length, end) => (calls.push(`${length} ${end}`), end ? "continue" : "pause"),
          ),
        ),
      ]);
      const source = new ManualBody();
      const done = headersOf(chain, direction, source, calls);
      for (const chunk of early) source.push(chunk);
      await turn();
      expect(calls).not.toContain("released");
      host?.resume(direction);
      await done;
      for (const chunk of ["cd", undefined]) source.push(chunk);
      expect(await bodyThrough(chain, direction)).toBe([...early, "cd"].join(""));
    }
  });

  test("waits for resume() where there is no body, and where the filter takes none", async () => {
    for (const body of [undefined, new MemoryBody(bytes("abc"))]) {
      let host: FilterHost | undefined;
      const calls: string[] = [];
      const chain = await chainFor(direction, [
        pluginOf(
          "waits",
          callbacksOf(direction, (h) => ((host = h), "pause-stream")),
        ),
      ]);
      const done = headersOf(chain, direction, body, calls);
      await turn();
      expect(calls).toEqual([]);
      host?.resume(direction);
      await done;
      expect(await bodyThrough(chain, direction)).toBe(body === undefined ? "none" : "abc");
    }
  });

  test("holds no more than the buffer", async () => {
    const hold = callbacksOf(
      direction,
      () => "pause-stream",
      () => "pause",
    );
    const chain = await chainFor(direction, [pluginOf("hold", hold)], 4);
    const source = new ManualBody();
    source.push("12345");
    const failure = await headersOf(chain, direction, source).catch((error: unknown) => error);
    expect((failure as GatewayError).code).toBe(
      `FILTER_${direction === "request" ? "REQUEST" : "RESPONSE"}_BUFFER_FULL`,
    );
  });

  test("is not seen by the filters that follow: theirs come when it lets go", async () => {
    const calls: string[] = [];
    const first = callbacksOf(
      direction,
      () => "pause-stream",
      (_, __, end) => (end ? "continue" : "pause"),
    );
    const second = callbacksOf(
      direction,
      (_, end) => (calls.push(`second ${end}`), "continue"),
      (_, length, end) => (calls.push(`second ${length} ${end}`), "continue"),
    );
    const plugins = [pluginOf("first", first), pluginOf("second", second)];
    const order = direction === "request" ? plugins : plugins.toReversed();
    const chain = await chainFor(direction, order);
    const source = new ManualBody();
    const done = headersOf(chain, direction, source, calls);
    source.push("ab");
    await turn();
    expect(calls).toEqual([]);
    source.push(undefined);
    await done;
    expect(await bodyThrough(chain, direction)).toBe("ab");
    expect(calls).toEqual(["second false", "released", "second 2 true"]);
  });

  test("lets go when the filter fails open in the middle", async () => {
    const failing = callbacksOf(
      direction,
      () => "pause-stream",
      () => {
        throw new Error("boom");
      },
    );
    const chain = await chainFor(direction, [pluginOf("boom", failing, { failOpen: true })]);
    const source = new ManualBody();
    for (const chunk of ["ab", "cd", undefined]) source.push(chunk);
    await headersOf(chain, direction, source);
    expect(await bodyThrough(chain, direction)).toBe("abcd");
  });
});

describe.each(["request", "response"] as const)("trailers of a %s", (direction) => {
  test("do not hide the end from a filter that takes none", async () => {
    const calls: string[] = [];
    const judge = callbacksOf(
      direction,
      () => "continue",
      (_, length, end) => (calls.push(`${length} ${end}`), end ? "continue" : "pause"),
    );
    const chain = await chainFor(direction, [pluginOf("judge", judge)]);
    const source = new ManualBody();
    source.trailers = HeaderList.from([["x-sum", "1"]]);
    for (const chunk of ["ab", "cd", undefined]) source.push(chunk);
    await headersOf(chain, direction, source);
    expect(await bodyThrough(chain, direction)).toBe("abcd");
    expect(calls).toEqual(["2 false", "4 false", "4 true"]);
  });
});

describe('"pause-stream" and a local reply', () => {
  test("from the request's body stops the request", async () => {
    let calls = 0;
    const chain = chainOf([
      pluginOf("judge", {
        onRequestHeaders: () => "pause-stream",
        onRequestBody: (host) => (calls++, host.localReply(reply(403)), "pause"),
      }),
    ]);
    const source = new ManualBody();
    source.push("ab");
    const failure = await chain.requestHeaders(source)?.catch((error: unknown) => error);
    expect((failure as GatewayError).message).toContain("answered it already");
    expect(chain.reply?.status).toBe(403);
    expect(calls).toBe(1);
  });

  test.each([
    ["in the middle", () => new ManualBody()],
    ["at its end", () => new MemoryBody(bytes("secret"))],
  ] as const)("from the response's body %s replaces the response", async (_, sourceOf) => {
    const calls: string[] = [];
    const chain = chainOf([
      pluginOf("outer", {
        onResponseHeaders: (_host, end) => (calls.push(`outer ${end}`), "continue"),
        onResponseBody: (_host, length) => (calls.push(`outer ${length}`), "continue"),
      }),
      pluginOf("judge", {
        onResponseHeaders: () => "pause-stream",
        onResponseBody(host, length) {
          calls.push(`judge ${length}`);
          host.localReply(reply(502));
          return "pause";
        },
      }),
    ]);
    await chain.requestHeaders(undefined);
    const source = sourceOf();
    if (source instanceof ManualBody) source.push("secret");
    await chain.responseHeaders(source);
    expect(chain.reply?.status).toBe(502);
    chain.dropBody("response", "replaced");
    if (source instanceof ManualBody) expect(source.cancelled).toBe("replaced");
    await chain.responseHeaders(new MemoryBody(bytes("no")));
    expect(await bodyThrough(chain, "response")).toBe("no");
    expect(calls).toEqual(["judge 6", "outer false", "outer 2"]);
  });
});

describe.each(["request", "response"] as const)("FilterHost.setBody() of a %s", (direction) => {
  const giving = (content: string): Plugin =>
    pluginOf(
      "giver",
      callbacksOf(direction, (host) => (host.setBody(direction, bytes(content)), "continue")),
    );

  test("gives a body to a message that has none", async () => {
    const chain = await chainFor(direction, [giving("new")]);
    await headersOf(chain, direction, undefined);
    expect(chain.body(direction)?.length).toBe(3);
    expect(await bodyThrough(chain, direction)).toBe("new");
  });

  test("replaces the one that is there, for the filters that follow", async () => {
    const seen: string[] = [];
    const reader = pluginOf(
      "reader",
      callbacksOf(
        direction,
        (_, end) => (seen.push(`headers ${end}`), "continue"),
        (_, length, end) => (seen.push(`${length} ${end}`), "continue"),
      ),
    );
    const plugins = [giving("other"), reader];
    const chain = await chainFor(
      direction,
      direction === "request" ? plugins : plugins.toReversed(),
    );
    const source = new ManualBody();
    await headersOf(chain, direction, source);
    expect(source.cancelled).toBeDefined();
    expect(await bodyThrough(chain, direction)).toBe("other");
    expect(seen).toEqual(["headers false", "5 true"]);
  });

  test("makes an end of it when it gives nothing", async () => {
    const chain = await chainFor(direction, [giving("")]);
    await headersOf(chain, direction, new ManualBody());
    expect(chain.body(direction)?.length).toBe(0);
    expect(await bodyThrough(chain, direction)).toBe("");
  });
});

function addSum(host: FilterHost): void {
  host.exchange.addTrailers("response").append("x-sum", "1");
}

describe("FilterChain.addTrailers()", () => {
  test("adds them to a body that no filter reads, and to one that the filter reads", async () => {
    for (const plugin of [
      pluginOf("headers", { onResponseHeaders: (host) => (addSum(host), "continue") }),
      pluginOf("body", {
        onResponseBody: (host, _, end) => (end && addSum(host), "continue"),
      }),
    ]) {
      const chain = chainOf([plugin]);
      (chain.exchange as FakeExchange).chain = chain;
      await chain.requestHeaders(undefined);
      await chain.responseHeaders(new MemoryBody(bytes("abc")));
      const body = chain.body("response");
      expect(text(body && (await collect(body, 99)))).toBe("abc");
      expect([...(body?.trailers ?? [])]).toEqual([["x-sum", "1"]]);
      expect(chain.trailers("response")?.get("x-sum")).toBe("1");
    }
  });

  test("are those that the message has brought", async () => {
    const source = new MemoryBody(bytes("a"), HeaderList.from([["x-own", "1"]]));
    const chain = chainOf([]);
    await chain.requestHeaders(source);
    expect(chain.addTrailers("request")).toBe(source.trailers as HeaderList);
  });
});

test.each([true, false])(
  "a filter that lets a chunk pass gives its buffer as its source does (%p)",
  async (givesBuffer) => {
    const source = Object.assign(new MemoryBody(bytes("abc")), { givesBuffer });
    const chain = chainOf([pluginOf("a", { onResponseBody: () => "continue" })]);
    await chain.requestHeaders(undefined);
    await chain.responseHeaders(source);
    const body = chain.body("response");
    expect(body).not.toBe(source);
    expect(text((await body?.read()) ?? undefined)).toBe("abc");
    expect(body?.givesBuffer).toBe(givesBuffer);
  },
);
