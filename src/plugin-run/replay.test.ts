import { describe, expect, test } from "bun:test";
import { messageOf } from "../base/errors.ts";
import { PRELUDE, wat } from "../abi/proxy-wasm/testing.ts";
import { readRecording, writeRecording } from "./recording.ts";
import { replay } from "./replay.ts";
import { runExchange } from "./run-exchange.ts";

/**
 * Copies the value of X-In, the time and random bytes into a property, so that every answer of the
 * host is asked for again as an argument.
 */
function copier(options: { key?: string; more?: string; exports?: string } = {}): Uint8Array {
  const { key = "x-in", more = "", exports = "" } = options;
  return wat(`(module
    (import "env" "proxy_get_header_map_value"
      (func $value (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_header_map_pairs" (func $pairs (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_property" (func $set (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
    (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get"
      (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    ${PRELUDE}
    (data (i32.const 16) "${key}")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $value (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 40) (i32.const 44)))
      (drop (call $set (i32.const 16) (i32.const 4)
        (i32.load (i32.const 40)) (i32.load (i32.const 44))))
      (drop (call $pairs (i32.const 0) (i32.const 40) (i32.const 44)))
      (drop (call $set (i32.const 16) (i32.const 4)
        (i32.load (i32.const 40)) (i32.load (i32.const 44))))
      (drop (call $time (i32.const 48)))
      (drop (call $random (i32.const 56) (i32.const 8)))
      (drop (call $sizes (i32.const 64) (i32.const 68)))
      (drop (call $environ (i32.const 72) (i32.const 128)))
      (drop (call $set (i32.const 16) (i32.const 4) (i32.const 48) (i32.const 24)))
      (drop (call $set (i32.const 16) (i32.const 4) (i32.const 128) (i32.const 8)))
      ${more}
      (i32.const 0))
    ${exports})`);
}

const OPTIONS = {
  request: { headers: [["X-In", "\u00e9\u0000?"]] },
  allow: { env: { KEY: "val" } },
} as const;

/** Logs two bytes in its start section. */
function logging(text: string): Uint8Array {
  return wat(`(module
    (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    ${PRELUDE} (data (i32.const 16) "${text}")
    (func $start (drop (call $log (i32.const 2) (i32.const 16) (i32.const 2))))
    (start $start))`);
}

/** An http-wasm module that asks for the URI and a header, and sets one each way. */
function echo(value: string): Uint8Array {
  return wat(`(module
    (import "http_handler" "get_uri" (func $uri (param i32 i32) (result i32)))
    (import "http_handler" "get_header_values"
      (func $values (param i32 i32 i32 i32 i32) (result i64)))
    (import "http_handler" "set_header_value" (func $set (param i32 i32 i32 i32 i32)))
    (import "http_handler" "enable_features" (func $enable (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "x-in") (data (i32.const 32) "${value}")
    (func $start (drop (call $enable (i32.const 2)))) (start $start)
    (func (export "handle_request") (result i64)
      (call $set (i32.const 0) (i32.const 16) (i32.const 4)
        (i32.const 64) (call $uri (i32.const 64) (i32.const 99)))
      (call $set (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 200)
        (i32.wrap_i64 (call $values (i32.const 0) (i32.const 16) (i32.const 4)
          (i32.const 200) (i32.const 99))))
      (i64.const 0x500000001))
    (func (export "handle_response") (param i32 i32)
      (call $set (i32.const 1) (i32.const 16) (i32.const 4) (i32.const 32) (i32.const 3))))`);
}

async function recorded(module = copier()): Promise<string> {
  return writeRecording(await runExchange(module, OPTIONS));
}

describe("replay()", () => {
  test("finds the same module the same, with every answer given again", async () => {
    const recording = readRecording(await recorded());
    expect(replay(copier(), recording)).toEqual({ same: true, events: 12 });
  });

  test("finds a module the same that does the same at other addresses", async () => {
    const recording = readRecording(await recorded());
    const moved = copier({ more: "(drop (i32.const 7))" });
    expect(replay(moved, recording)).toMatchObject({ same: true });
  });

  test("shows another argument with both sides and where it is", async () => {
    const recording = readRecording(await recorded());
    expect(replay(copier({ key: "x-on" }), recording)).toEqual({
      same: false,
      difference: {
        line: 3,
        within: "> proxy_on_request_headers(context=2, headers=10, end_of_stream=true)",
        recorded: 'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-in")',
        now: 'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-on")',
      },
    });
  });

  test("shows another call, one too many and one that is missing", async () => {
    const log = "(drop (call $log (i32.const 2) (i32.const 16) (i32.const 4)))";
    const short = await recorded();
    const long = await recorded(copier({ more: log }));
    expect(replay(copier({ more: log }), readRecording(short))).toMatchObject({
      difference: {
        recorded: "< proxy_on_request_headers = Continue",
        now: 'proxy_log(level=info, message="x-in")',
      },
    });
    expect(replay(copier(), readRecording(long))).toMatchObject({
      difference: {
        recorded: 'proxy_log(level=info, message="x-in")',
        now: "< proxy_on_request_headers = Continue",
      },
    });
  });

  test("shows another result of a callback, and a trap", async () => {
    const recording = readRecording(await recorded());
    expect(replay(copier({ more: "(return (i32.const 1))" }), recording)).toMatchObject({
      difference: { now: "< proxy_on_request_headers = Pause" },
    });
    const trap = replay(copier({ more: "unreachable" }), recording);
    expect(trap).toMatchObject({
      difference: { now: expect.stringMatching(/^< proxy_on_request_headers failed: /) },
    });
    const loop = replay(copier({ more: "(loop (br 0))" }), recording, 20);
    expect(loop).toMatchObject({ same: false });
  });

  test("is the same up to the failure that was recorded", async () => {
    const failing = copier({ more: "unreachable" });
    expect(replay(failing, readRecording(await recorded(failing)))).toMatchObject({ same: true });
  });

  test("tells of callbacks that are new, or gone", async () => {
    const done = `(func (export "proxy_on_log") (param i32))`;
    const without = readRecording(await recorded());
    expect(replay(copier({ exports: done }), without)).toMatchObject({
      difference: {
        recorded: "nothing more",
        now: "the module exports proxy_on_log, which the recorded one did not",
      },
    });
    const withIt = readRecording(await recorded(copier({ exports: done })));
    expect(replay(copier(), withIt)).toMatchObject({
      difference: {
        recorded: "> proxy_on_log(context=2)",
        now: "the module does not export proxy_on_log",
      },
    });
  });

  test("compares what a start section does", async () => {
    const recording = readRecording(await recorded(logging("v1")));
    expect(replay(logging("v1"), recording)).toEqual({ same: true, events: 1 });
    expect(replay(logging("v2"), recording)).toMatchObject({
      difference: { within: undefined, now: 'proxy_log(level=info, message="v2")' },
    });
  });
});

describe("replay() of http-wasm", () => {
  test("answers as the host did, and shows what is different", async () => {
    const transcript = await runExchange(echo("one"), {
      request: { url: "http://a.test/uri", headers: [["X-In", "value"]] },
    });
    expect(transcript.response?.headers).toContainEqual(["x-in", "one"]);
    const recording = readRecording(writeRecording(transcript));
    expect(replay(echo("one"), recording)).toEqual({ same: true, events: 10 });
    expect(replay(echo("two"), recording)).toMatchObject({
      difference: {
        within: "> handle_response(context=5, is_error=false)",
        recorded: 'set_header_value(kind=Response, name="x-in", value="one")',
        now: 'set_header_value(kind=Response, name="x-in", value="two")',
      },
    });
  });
});

describe("replay() errors", () => {
  test("refuses a recording of several guests", async () => {
    const transcript = await runExchange(copier(), { instances: "per_request" });
    const recording = readRecording(writeRecording(transcript));
    expect(() => replay(copier(), recording)).toThrow("2 guests have run, and not one");
  });
});

describe("readRecording() errors", () => {
  test.each([
    { at: 0, from: '"sluice_transcript":1', to: '"sluice_transcript":9', says: "of form 9" },
    { at: 0, from: '"sluice_transcript":1', to: '"other":1', says: "line 1: it is no transcript" },
    { at: 0, from: '"guests":1', to: '"guests":"1"', says: "guests are missing" },
    { at: 2, from: "{", to: "", says: "line 3: it is no JSON" },
    { at: 2, from: '"call"', to: '"cry"', says: 'line 3: there is no kind of event "cry"' },
    { at: 2, from: "proxy_get_header", to: "proxy_eat", says: "line 3: no call" },
    { at: 2, from: '"key"', to: '"name"', says: "line 3: args are not those of" },
    { at: 2, from: '"value":"', to: '"worth":"', says: "line 3: outs are not those of" },
    { at: 2, from: '"result":"Ok"', to: '"result":{}', says: "line 3: result is no answer" },
    { at: 2, from: '"result":"Ok"', to: '"result":"Fine"', says: "line 3: result is no answer" },
    {
      at: 2,
      from: '"map":"HttpRequestHeaders"',
      to: '"map":"Paper"',
      says: "line 3: args are not",
    },
    { at: 6, from: '"time":"', to: '"time":"x', says: "line 7: outs are not those of" },
  ])("names the line and what is wrong: $says", async ({ at, from, to, says }) => {
    const lines = (await recorded()).split("\n");
    lines[at] = (lines[at] ?? "").replace(from, to);
    const text = lines.join("\n");
    let told = "";
    try {
      readRecording(text);
    } catch (error) {
      told = messageOf(error);
    }
    expect(told).toStartWith("Cannot replay this transcript: line ");
    expect(told).toContain(says);
  });

  test("sees that a file is cut off", async () => {
    const text = await recorded();
    expect(() => readRecording(text.slice(0, text.lastIndexOf("\n", text.length - 2)))).toThrow(
      "the file is cut off or was changed",
    );
    expect(() => readRecording("")).toThrow("line 1: it is no JSON");
  });
});
