import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import type { HttpFilter } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import { FakeFilterHost, ScriptedGuest } from "./testing.ts";

const CALLBACKS = [
  "proxy_on_context_create",
  "proxy_on_request_headers",
  "proxy_on_request_body",
  "proxy_on_request_trailers",
  "proxy_on_response_headers",
  "proxy_on_response_body",
  "proxy_on_response_trailers",
  "proxy_on_log",
  "proxy_on_done",
  "proxy_on_delete",
];

describe("StreamContext", () => {
  test("calls the guest in the order of an exchange's life, with its arguments", () => {
    const seen: [string, ...number[]][] = [];
    const kit = recording(seen);
    const host = new FakeFilterHost();
    const filter: HttpFilter = kit.stream(host);
    filter.onRequestHeaders(false);
    filter.onRequestBody(5, false);
    filter.onRequestBody(9, true);
    host.requestTrailers = HeaderList.from([["a", "1"]]);
    filter.onRequestTrailers();
    host.response = { status: 200, headers: HeaderList.from([["b", "2"]]) };
    filter.onResponseHeaders(true);
    filter.onResponseBody(0, true);
    host.responseTrailers = HeaderList.from([
      ["c", "3"],
      ["d", "4"],
    ]);
    filter.onResponseTrailers();
    filter.onEnd();
    expect(seen.map(([name, ...args]) => [name.replace("proxy_on_", ""), ...args])).toEqual([
      ["context_create", 2, 1],
      ["request_headers", 2, 5, 0], // Four pseudo headers and one line.
      ["request_body", 2, 5, 0],
      ["request_body", 2, 9, 1],
      ["request_trailers", 2, 1],
      ["response_headers", 2, 2, 1],
      ["response_body", 2, 0, 1],
      ["response_trailers", 2, 2],
      ["log", 2],
      ["done", 2],
      ["delete", 2],
    ]);
  });

  test("numbers streams from 2 up and does not use a number again that is in use", () => {
    const kit = new ScriptedGuest();
    const streams = [kit.stream(), kit.stream(), kit.stream()];
    expect(streams.map((stream) => stream.id)).toEqual([2, 3, 4]);
    streams[1]?.onEnd();
    expect(kit.stream().id).toBe(5);
    expect(kit.guest.streams.size).toBe(3);
  });

  test("deletes a stream also when it answers that it is not done", () => {
    const seen: [string, ...number[]][] = [];
    const kit = recording(seen, { proxy_on_done: () => 0 });
    kit.stream().onEnd();
    expect(seen.at(-1)).toEqual(["proxy_on_delete", 2]);
    expect(kit.guest.streams.size).toBe(0);
  });

  test.each([
    { answer: 0, action: "continue" },
    { answer: 1, action: "pause" },
    { answer: 2, action: "pause" },
    { answer: 3, action: "pause" },
    { answer: 4, action: "pause" },
    { answer: -1, action: "pause" },
    { answer: undefined, action: "continue" },
  ] as const)("takes the answer $answer for $action, in every callback", ({ answer, action }) => {
    const kit = new ScriptedGuest(
      Object.fromEntries(CALLBACKS.map((name) => [name, () => answer as number])),
    );
    const stream = kit.stream();
    expect([
      stream.onRequestHeaders(false),
      stream.onRequestBody(1, false),
      stream.onRequestTrailers(),
      stream.onResponseHeaders(false),
      stream.onResponseBody(1, false),
      stream.onResponseTrailers(),
    ]).toEqual([action, action, action, action, action, action]);
  });

  test("streams bodies to a paused filter under pause: stream, where the guest says Pause", () => {
    for (const [answer, action] of [
      [0, "continue"],
      [1, "pause-stream"],
      [3, "pause"],
      [4, "pause"],
    ] as const) {
      const scripts = Object.fromEntries(CALLBACKS.map((name) => [name, () => answer]));
      const stream = new ScriptedGuest(scripts, "0.2.1", undefined, { pause: "stream" }).stream();
      expect([stream.onRequestHeaders(false), stream.onResponseHeaders(false)]).toEqual([
        action,
        action,
      ]);
    }
  });

  test("goes on where the guest has no callback", () => {
    const stream = new ScriptedGuest().stream();
    expect(stream.onRequestHeaders(false)).toBe("continue");
    expect(() => stream.onEnd()).not.toThrow();
  });

  test("counts no headers where there are none", () => {
    const seen: [string, ...number[]][] = [];
    const stream = recording(seen).stream();
    stream.onRequestTrailers();
    stream.onResponseHeaders(true);
    expect(seen.slice(1)).toEqual([
      ["proxy_on_request_trailers", 2, 0],
      ["proxy_on_response_headers", 2, 0, 1],
    ]);
  });
});

describe("StreamContext errors", () => {
  test.each(CALLBACKS)("a trap in %s fails the filter and poisons the guest", (trapping) => {
    const kit = new ScriptedGuest({
      [trapping]: () => {
        throw new WebAssembly.RuntimeError("Unreachable");
      },
    });
    const host = new FakeFilterHost();
    const failure = thrown(() => {
      const stream = kit.stream(host);
      stream.onRequestHeaders(false);
      stream.onRequestBody(1, true);
      stream.onRequestTrailers();
      stream.onResponseHeaders(false);
      stream.onResponseBody(1, true);
      stream.onResponseTrailers();
      stream.onEnd();
    });
    expect(failure.code).toBe("FILTER_FAILED");
    expect(failure.message).toBe(`${trapping} of plugin "test" failed: trap: Unreachable`);
    expect(kit.host.logged).toEqual([`critical: ${trapping} failed: trap: Unreachable`]);
    expect(kit.guest.failure).toBe(failure);
    expect(kit.guest.streams.size).toBe(0);
    expect(host.failures).toEqual([]); // It has learnt of it by what was thrown.
  });

  test("fails every other exchange on that guest, at once and at its next callback", () => {
    const kit = new ScriptedGuest({
      proxy_on_request_headers: () => 1,
      proxy_on_request_body: () => {
        throw new WebAssembly.RuntimeError("Unreachable");
      },
    });
    const paused = new FakeFilterHost();
    const other = kit.stream(paused);
    other.onRequestHeaders(false);
    const failure = thrown(() => kit.stream().onRequestBody(1, true));
    expect(paused.failures).toEqual([failure]);
    expect(thrown(() => other.onRequestHeaders(true))).toBe(failure);
    expect(() => other.onEnd()).not.toThrow();
  });

  test("drops what a callback has asked for before it trapped", () => {
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_request_headers: () => {
        kit.env.proxy_send_local_response(200, 0, 0, 0, 0, 0, 0, -1);
        kit.env.proxy_continue_stream(0);
        throw new WebAssembly.RuntimeError("Unreachable");
      },
    });
    const host = new FakeFilterHost();
    thrown(() => kit.stream(host).onRequestHeaders(true));
    expect(host.replies).toEqual([]);
    expect(host.resumed).toEqual([]);
  });
});

function recording(
  seen: [string, ...number[]][],
  scripts: Record<string, () => number> = {},
): ScriptedGuest {
  return new ScriptedGuest(
    Object.fromEntries(
      CALLBACKS.map((name) => [
        name,
        (...args: number[]) => {
          seen.push([name, ...args.slice(0, ARGUMENTS[name] ?? 3)]);
          return scripts[name]?.() ?? 0;
        },
      ]),
    ),
  );
}

/** How many arguments a callback has; a script gets all that the host passes. */
const ARGUMENTS: Readonly<Record<string, number>> = {
  proxy_on_context_create: 2,
  proxy_on_request_trailers: 2,
  proxy_on_response_trailers: 2,
  proxy_on_log: 1,
  proxy_on_done: 1,
  proxy_on_delete: 1,
};

function thrown(body: () => unknown): GatewayError {
  try {
    body();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
