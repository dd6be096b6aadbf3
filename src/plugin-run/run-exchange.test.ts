import { describe, expect, test } from "bun:test";
import { deadlines } from "../base/deadlines.ts";
import { messageOf } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { PRELUDE, wat } from "../abi/proxy-wasm/testing.ts";
import { renderTranscript } from "./render.ts";
import { runExchange } from "./run-exchange.ts";
import { bodyOf, callsOf } from "./transcript.ts";

log.configure({ level: "error", format: "text" });

/** A module with one page, texts at 16, and what else the test gives. */
function guest(imports: string, body: string, texts = ""): Uint8Array {
  return wat(`(module ${imports} ${PRELUDE}
    (data (i32.const 16) "${texts}")
    ${body})`);
}

const LOG = `(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))`;
const TICK = `(import "env" "proxy_set_tick_period_milliseconds"
  (func $tick (param i32) (result i32)))`;
const CONFIGURE = (code: string): string =>
  `(func (export "proxy_on_configure") (param i32 i32) (result i32) ${code} (i32.const 1))`;
const HEADERS = (code: string): string =>
  `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) ${code})`;

/** Calls "auth" in the request's headers and pauses; its answer resumes stream 2. */
const CALLING = guest(
  `(import "env" "proxy_http_call"
     (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
   (import "env" "proxy_set_effective_context" (func $context (param i32) (result i32)))
   (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))`,
  `${HEADERS(`(drop (call $call (i32.const 16) (i32.const 4) (i32.const 20) (i32.const 65)
       (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 500) (i32.const 8)))
     (i32.const 1)`)}
   (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
     (drop (call $context (i32.const 2)))
     (drop (call $continue (i32.const 0))))`,
  "auth" +
    "\\03\\00\\00\\00" +
    "\\07\\00\\00\\00\\03\\00\\00\\00" +
    "\\05\\00\\00\\00\\02\\00\\00\\00" +
    "\\0a\\00\\00\\00\\04\\00\\00\\00" +
    ":method\\00GET\\00:path\\00/a\\00:authority\\00auth\\00",
);

describe("runExchange()", () => {
  test("runs http-wasm plugins as well", async () => {
    const transcript = await runExchange(
      wat(`(module
        (import "http_handler" "get_uri" (func $uri (param i32 i32) (result i32)))
        (import "http_handler" "set_header_value" (func $set (param i32 i32 i32 i32 i32)))
        (memory (export "memory") 1) (data (i32.const 16) "x-a")
        (func (export "handle_request") (result i64)
          (drop (call $uri (i32.const 64) (i32.const 64)))
          (call $set (i32.const 0) (i32.const 16) (i32.const 3) (i32.const 16) (i32.const 3))
          (i64.const 0x500000001))
        (func (export "handle_response") (param i32 i32)))`),
    );
    const text = renderTranscript(transcript);
    expect(callsOf(transcript, "get_uri")).toHaveLength(1);
    expect(callsOf(transcript, "set_header_value")[0]?.args).toEqual({
      kind: "Request",
      name: "x-a",
      value: "x-a",
    });
    expect(text).toContain("handle_response");
    expect(text).toContain("21474836481");
  });

  test("writes every callback, host call, status and log line down in their order", async () => {
    const transcript = await runExchange(
      guest(
        LOG,
        HEADERS(`(drop (call $log (i32.const 2) (i32.const 16) (i32.const 5)))
          (drop (call $log (i32.const 9) (i32.const 16) (i32.const 5)))
          (drop (call $log (i32.const 2) (i32.const 16) (i32.const -1)))
          (i32.const 0)`),
        "hello",
      ),
    );
    expect(transcript.events.slice(0, 6)).toEqual([
      {
        kind: "callback",
        depth: 0,
        name: "proxy_on_request_headers",
        args: { context: 2, headers: 9, end_of_stream: true },
      },
      {
        kind: "call",
        depth: 1,
        module: "env",
        name: "proxy_log",
        args: { level: "info", message: "hello" },
        result: "Ok",
        outs: {},
      },
      { kind: "log", depth: 2, level: "info", message: "hello" },
      expect.objectContaining({ args: { level: 9, message: "hello" }, result: "BadArgument" }),
      expect.objectContaining({
        args: { level: "info", message: null },
        result: "InvalidMemoryAccess",
      }),
      { kind: "return", depth: 0, name: "proxy_on_request_headers", result: "Continue" },
    ]);
  });

  test("echoes the request when the upstream is told nothing", async () => {
    const { request, response } = await runExchange(guest("", ""), {
      request: {
        method: "POST",
        url: "http://a.test/x?y=1",
        headers: [["X-One", "1"]],
        body: ["he", "llo"],
        trailers: [["X-Sum", "5"]],
      },
    });
    expect(request).toMatchObject({
      method: "POST",
      authority: "a.test",
      target: "/x?y=1",
      chunks: ["he", "llo"],
      trailers: [["X-Sum", "5"]],
      complete: true,
    });
    expect(request?.headers).toContainEqual(["X-One", "1"]);
    expect(response).toMatchObject({ status: 200, complete: true });
    expect(JSON.parse(bodyOf(response))).toMatchObject({
      method: "POST",
      url: "http://a.test/x?y=1",
      data: "hello",
    });
  });

  test("lets the upstream answer, or fail, as it is told", async () => {
    const answered = await runExchange(guest("", ""), {
      upstream: {
        status: 418,
        headers: [["X-Tea", "1"]],
        body: ["a", "b"],
        trailers: [["X-End", "1"]],
      },
    });
    expect(answered.response).toMatchObject({
      status: 418,
      headers: [["X-Tea", "1"]],
      chunks: ["a", "b"],
      trailers: [["X-End", "1"]],
    });
    const failed = await runExchange(guest("", ""), {
      upstream: { failure: "UPSTREAM_READ_TIMEOUT" },
    });
    expect(failed.response?.status).toBe(504);
    expect(bodyOf(failed.response)).toContain('"request_id":"plugin-run"');
  });

  test("answers call-outs with what they are told, in the run's time", async () => {
    const { events, response } = await runExchange(CALLING, {
      callOuts: [{ upstream: "auth", status: 204, delayMs: 300 }],
    });
    expect(response?.status).toBe(200);
    const text = events.map((event) => ("name" in event ? event.name : "")).join(" ");
    expect(text).toContain(
      "proxy_on_request_headers proxy_http_call proxy_on_request_headers  " +
        "proxy_on_http_call_response proxy_set_effective_context proxy_continue_stream",
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        name: "proxy_on_http_call_response",
        args: { context: 1, token: 1, headers: 1, body: 0, trailers: 0 },
      }),
    );
  });

  test("lets a call-out time out, fail, be denied and be unknown", async () => {
    const late = await runExchange(CALLING, { callOuts: [{ upstream: "auth", delayMs: 501 }] });
    expect(renderTranscript(late)).toContain("* the call to auth has failed: no answer within 500");
    const failed = await runExchange(CALLING, { callOuts: [{ upstream: "auth", error: "reset" }] });
    expect(renderTranscript(failed)).toContain("* the call to auth has failed: reset");
    const denied = await runExchange(CALLING, { upstreams: ["auth"], allow: { httpCall: [] } });
    expect(callsOf(denied, "proxy_http_call")).toMatchObject([{ result: "BadArgument" }]);
    expect(renderTranscript(denied)).toContain('allow: { http_call: ["auth"] }');
    const unknown = await runExchange(CALLING);
    expect(callsOf(unknown, "proxy_http_call")).toMatchObject([{ result: "BadArgument" }]);
  });

  test("ends a pause that nobody ends by the gateway's own bound, and does not wait", async () => {
    const startedMs = performance.now();
    const { response } = await runExchange(guest("", HEADERS("(i32.const 1)")));
    expect(response?.status).toBe(504);
    expect(bodyOf(response)).toContain("FILTER_PAUSED_TOO_LONG");
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });

  test("fires as many ticks as are wanted, before and behind the exchange", async () => {
    const ticking = guest(
      TICK,
      `${CONFIGURE("(drop (call $tick (i32.const 5000)))")}
       (func (export "proxy_on_tick") (param i32))`,
    );
    const { events } = await runExchange(ticking, { ticks: 2, ticksAfter: 1 });
    const steps = events.map((event) =>
      event.kind === "callback" ? event.name : event.kind === "sent" ? event.to : "",
    );
    expect(steps.filter((step) => step !== "")).toEqual([
      "proxy_on_configure",
      "proxy_on_tick",
      "proxy_on_tick",
      "upstream",
      "upstream",
      "client",
      "client",
      "client",
      "proxy_on_tick",
    ]);
    const none = await runExchange(guest("", ""), { ticks: 1 });
    expect(renderTranscript(none)).toContain("* no tick comes");
  });

  test("tells a queue's receiver of the items that are put in", async () => {
    const receiver = guest(
      `(import "env" "proxy_register_shared_queue"
         (func $register (param i32 i32 i32) (result i32)))
       (import "env" "proxy_dequeue_shared_queue"
         (func $dequeue (param i32 i32 i32) (result i32)))`,
      `${CONFIGURE("(drop (call $register (i32.const 16) (i32.const 4) (i32.const 8)))")}
       (func (export "proxy_on_queue_ready") (param i32 i32)
         (drop (call $dequeue (local.get 1) (i32.const 8) (i32.const 12))))`,
      "jobs",
    );
    const transcript = await runExchange(receiver, {
      queueItems: [
        { queue: "jobs", item: "one" },
        { queue: "none", item: "two" },
      ],
    });
    expect(callsOf(transcript, "proxy_dequeue_shared_queue")).toMatchObject([
      { result: "Ok", outs: { item: "one" } },
    ]);
    expect(renderTranscript(transcript)).toContain("* an item finds no place in queue none");
  });

  test("gives the same text, times and random numbers included", async () => {
    const curious = guest(
      `(import "wasi_snapshot_preview1" "random_get"
         (func $random (param i32 i32) (result i32)))
       (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
       (import "env" "proxy_get_property"
         (func $property (param i32 i32 i32 i32) (result i32)))`,
      HEADERS(`(drop (call $random (i32.const 64) (i32.const 8)))
        (drop (call $time (i32.const 64))) (drop (call $time (i32.const 64)))
        (drop (call $property (i32.const 16) (i32.const 12) (i32.const 8) (i32.const 12)))
        (drop (call $property (i32.const 28) (i32.const 10) (i32.const 8) (i32.const 12)))
        (i32.const 0)`),
      "request\\00timerequest\\00id",
    );
    const first = await runExchange(curious);
    expect(renderTranscript(await runExchange(curious))).toBe(renderTranscript(first));
    expect(callsOf(first, "proxy_get_current_time_nanoseconds").map(({ outs }) => outs)).toEqual([
      { time: "1767225600000001000" },
      { time: "1767225600000002000" },
    ]);
    expect(callsOf(first, "proxy_get_property").map(({ outs }) => outs["value"])).toEqual([
      Buffer.from(new BigInt64Array([1767225600000000000n]).buffer).toString("latin1"),
      "plugin-run",
    ]);
    const other = await runExchange(curious, { seed: 2 });
    expect(callsOf(other, "random_get")).not.toEqual(callsOf(first, "random_get"));
  });

  test("gives environment and configuration to the plugin as YAML would", async () => {
    const transcript = await runExchange(
      guest(
        `(import "wasi_snapshot_preview1" "environ_sizes_get"
           (func $sizes (param i32 i32) (result i32)))
         (import "env" "proxy_get_buffer_bytes"
           (func $buffer (param i32 i32 i32 i32 i32) (result i32)))`,
        CONFIGURE(`(drop (call $sizes (i32.const 8) (i32.const 12)))
          (drop (call $buffer (i32.const 7) (i32.const 0) (i32.const 99) (i32.const 8)
            (i32.const 12)))`),
      ),
      { config: "a: 1", allow: { env: { KEY: "v" } } },
    );
    expect(callsOf(transcript, "environ_sizes_get")[0]?.outs).toEqual({ count: 1, bytes: 6 });
    expect(callsOf(transcript, "proxy_get_buffer_bytes")[0]?.outs).toEqual({ bytes: "a: 1" });
  });

  test("leaves the process's deadlines to others when it is over", async () => {
    await Promise.all([runExchange(guest("", "")), runExchange(guest("", ""))]);
    await new Promise<void>((resolve) => deadlines.arm(10, resolve));
  });
});

describe("runExchange() errors", () => {
  test("says why a plugin is refused, and runs no exchange", async () => {
    const no = await runExchange(
      guest("", `(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))`),
    );
    expect(no.refused).toBe("proxy_on_configure answered false");
    expect(no.response).toBeUndefined();
    expect(renderTranscript(no)).toEndWith("\nrefused: proxy_on_configure answered false\n");
    expect((await runExchange(Buffer.from("garbage"))).refused).toContain("Cannot");
  });

  test("shows a trap where it happens, and what the client gets for it", async () => {
    const trap = guest("", HEADERS("unreachable"));
    const closed = await runExchange(trap);
    expect(closed.failures).toEqual([expect.stringMatching(/^proxy_on_request_headers: /)]);
    expect(closed.response?.status).toBe(503);
    expect(closed.events).toContainEqual(
      expect.objectContaining({ kind: "log", level: "critical" }),
    );
    const open = await runExchange(trap, { fail: "open" });
    expect(open.response?.status).toBe(200);
  });

  test("stops a loop at the deadline", async () => {
    const loop = guest("", HEADERS("(loop (br 0)) (i32.const 0)"));
    const { response } = await runExchange(loop, { limits: { deadlineMs: 5 } });
    expect(bodyOf(response)).toContain("FILTER_DEADLINE");
  });

  test("gives up a transcript that gets too long", async () => {
    const chatty = guest(
      LOG,
      HEADERS(`(loop (drop (call $log (i32.const 9) (i32.const 16)
      (i32.const 0))) (br 0)) (i32.const 0)`),
    );
    const thrown = await runExchange(chatty, {
      eventsMax: 100,
      limits: { deadlineMs: 10_000 },
    }).catch(messageOf);
    expect(thrown).toStartWith("Cannot write down this run: it has more than 100 events");
  });

  test("answers a request that is none as the gateway does", async () => {
    const { response, request } = await runExchange(guest("", ""), {
      request: { url: "http://a b/" },
    });
    expect(response?.status).toBe(400);
    expect(request).toBeUndefined();
  });
});

describe("runExchange() with gRPC", () => {
  const GRPC = `
    (import "env" "proxy_grpc_call" (func $call
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $context (param i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))`;
  const asking = guest(
    GRPC,
    `${HEADERS(`(drop (call $call (i32.const 16) (i32.const 4) (i32.const 20) (i32.const 1)
        (i32.const 21) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 22) (i32.const 2)
        (i32.const 100) (i32.const 8)))
      (i32.const 1)`)}
    (func $resume (drop (call $context (i32.const 2))) (drop (call $continue (i32.const 0))))
    (func (export "proxy_on_grpc_receive") (param i32 i32 i32) (call $resume))
    (func (export "proxy_on_grpc_close") (param i32 i32 i32) (call $resume))`,
    "authSMhi",
  );

  test("answers calls as it is told, and tells that nothing was left to answer", async () => {
    for (const [grpc, lines] of [
      [[{ upstream: "auth", messages: ["ok"] }], ["proxy_on_grpc_receive 1 2"]],
      [[{ upstream: "auth", status: 7, message: "no" }], ["proxy_on_grpc_close 1 7"]],
      [[{ upstream: "auth", delayMs: 200 }], ["proxy_on_grpc_close 1 4"]],
      [[], ["proxy_on_grpc_close 1 14"]],
    ] as const) {
      const { events } = await runExchange(asking, { grpc, upstreams: ["auth"] });
      const seen = events.flatMap((event) =>
        event.kind === "callback" && event.name.startsWith("proxy_on_grpc")
          ? [[event.name, ...Object.values(event.args).slice(1)].join(" ")]
          : [],
      );
      expect(seen).toEqual([...lines]);
    }
  });
});
