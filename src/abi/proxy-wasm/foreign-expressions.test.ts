import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import type { PropertyValue } from "../../filter/filter.ts";
import { startFilter } from "../../filter/testing.ts";
import { HeaderList } from "../../http/headers.ts";
import { startPlugin } from "./plugin.ts";
import {
  FakeFilterHost,
  FakePluginHost,
  load,
  OUT,
  PRELUDE,
  ScriptedGuest,
  TEST_SETTINGS,
  unwire,
} from "./testing.ts";
import { Status } from "./types.ts";

describe("expr_create()", () => {
  test("hands over tokens, from 0 up", () => {
    const { kit, call } = open();
    for (const hex of ["00000000", "01000000", "02000000"]) {
      expect(call("expr_create", "1 == 1")).toBe(Status.Ok);
      expect(kit.taken().toHex()).toBe(hex);
    }
  });

  test.each(["", "1 +", "a".repeat(LIMITS.celLengthMax + 1), "(".repeat(100), "\0", "\xff"])(
    "answers BadArgument for what is no expression (%#), and says why",
    (text) => {
      const { kit, call } = open();
      expect(call("expr_create", text)).toBe(Status.BadArgument);
      expect(kit.host.logged[0]).toStartWith("info: expr_create: Cannot read the expression: ");
    },
  );

  test("answers InternalFailure for too many, until one is deleted", () => {
    const { call } = open();
    for (let n = 0; n < LIMITS.celExpressionsMax; n++) {
      expect(call("expr_create", "1")).toBe(Status.Ok);
    }
    expect(call("expr_create", "1")).toBe(Status.InternalFailure);
    expect(call("expr_delete", token(7))).toBe(Status.Ok);
    expect(call("expr_create", "1")).toBe(Status.Ok);
    expect(call("expr_evaluate", token(7))).toBe(Status.NotFound);
  });
});

describe("expr_create() of long expressions", () => {
  test("answers InternalFailure when all that are kept are too long together", () => {
    const { call } = open();
    const text = `'${"a".repeat(LIMITS.celLengthMax - 2)}'`;
    let kept = 0;
    while (kept < 100 && call("expr_create", text) === Status.Ok) kept++;
    expect(kept).toBe(LIMITS.celCharactersMax / LIMITS.celLengthMax);
    expect(call("expr_delete", token(0))).toBe(Status.Ok);
    expect(call("expr_create", text)).toBe(Status.Ok);
  });
});

describe("expr_evaluate()", () => {
  // The encodings are those of properties: the oracle is typed by hand.
  test.each([
    { text: "request.method", hex: "474554" },
    { text: "'ü'", hex: "c3bc" },
    { text: "request.path", hex: "2fc3bc" },
    { text: "b'\\x00\\xff'", hex: "00ff" },
    { text: "''", hex: "" },
    { text: "200", hex: "c800000000000000" },
    { text: "-1", hex: "ffffffffffffffff" },
    { text: "18446744073709551615u", hex: "ffffffffffffffff" },
    { text: "connection.id", hex: "0700000000000000" },
    { text: "0.5", hex: "000000000000e03f" },
    { text: "1 < 2", hex: "01" },
    { text: "1 > 2", hex: "00" },
    { text: "duration('1.5s')", hex: "002f685900000000" },
    { text: "request.duration", hex: "0500000000000000" },
    { text: "timestamp('1970-01-01T00:00:01Z')", hex: "00ca9a3b00000000" },
    { text: "request.time", hex: "15cd5b0700000000" },
    { text: "plugin_root_id", hex: "726f6f74" },
    { text: "own", hex: "00ff" },
  ])("hands over $text", ({ text, hex }) => {
    const { kit, host, call } = open();
    for (const [path, value] of PROPERTIES) host.properties.set(path, value);
    expect(call("expr_create", text)).toBe(Status.Ok);
    expect(call("expr_evaluate", token(0))).toBe(Status.Ok);
    expect(kit.taken().toHex()).toBe(hex);
  });

  test.each([
    {
      text: "{'a': 'b', 'c': true}",
      pairs: [
        ["a", "b"],
        ["c", "\x01"],
      ],
    },
    {
      text: "['a', 'ü']",
      pairs: [
        ["a", ""],
        ["\xc3\xbc", ""],
      ],
    },
    { text: "request.headers", pairs: [["x-a", "1,2"]] },
    { text: "[]", pairs: [] },
  ] satisfies { text: string; pairs: [string, string][] }[])(
    "hands over $text as pairs",
    ({ text, pairs }) => {
      const { kit, host, call } = open();
      for (const [path, value] of PROPERTIES) host.properties.set(path, value);
      expect(call("expr_create", text)).toBe(Status.Ok);
      expect(call("expr_evaluate", token(0))).toBe(Status.Ok);
      expect(unwire(kit.taken())).toEqual(pairs);
    },
  );

  test.each(["null", "type(1)", "[null]", "{'a': null}", "{'a': type(1)}"])(
    "answers SerializationFailure for %s, which has no encoding",
    (text) => {
      const { call } = open();
      expect(call("expr_create", text)).toBe(Status.Ok);
      expect(call("expr_evaluate", token(0))).toBe(Status.SerializationFailure);
    },
  );

  test("answers InternalFailure when there is no value, and says why", () => {
    const { kit, call } = open();
    expect(call("expr_create", "request.path == '/'")).toBe(Status.Ok);
    expect(call("expr_evaluate", token(0))).toBe(Status.InternalFailure);
    expect(kit.host.logged[0]).toStartWith("debug: expr_evaluate: There is no value: ");
  });

  test("answers NotFound for a token that is not there, BadArgument for what is none", () => {
    const { kit, call } = open();
    expect(call("expr_evaluate", token(0))).toBe(Status.NotFound);
    expect(call("expr_create", "1")).toBe(Status.Ok);
    expect(call("expr_evaluate", token(1))).toBe(Status.NotFound);
    expect(call("expr_evaluate", token(0xffff_ffff))).toBe(Status.NotFound);
    for (const length of [0, 3, 5, 8]) {
      expect(call("expr_evaluate", Buffer.alloc(length))).toBe(Status.BadArgument);
    }
    expect(kit.allocated).toHaveLength(1);
  });

  test("sees of the gateway what is granted", () => {
    const { kit, call } = open();
    expect(call("expr_create", "node.id")).toBe(Status.Ok);
    expect(call("expr_evaluate", token(0))).toBe(Status.InternalFailure);
    kit.host.gatewayProperties.set("node.id", "machine");
    expect(call("expr_evaluate", token(0))).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe("machine");
  });

  test("knows nothing of an exchange where there is none", () => {
    const { call } = open(false);
    expect(call("expr_create", "request.path == '' || true")).toBe(Status.Ok);
    expect(call("expr_evaluate", token(0))).toBe(Status.Ok);
    expect(call("expr_create", "request.path")).toBe(Status.Ok);
    expect(call("expr_evaluate", token(1))).toBe(Status.InternalFailure);
  });
});

describe("expr_delete()", () => {
  test("forgets an expression, and is Ok for one that is not there", () => {
    const { call } = open();
    expect(call("expr_create", "1")).toBe(Status.Ok);
    for (let n = 0; n < 2; n++) expect(call("expr_delete", token(0))).toBe(Status.Ok);
    expect(call("expr_evaluate", token(0))).toBe(Status.NotFound);
    expect(call("expr_delete", "")).toBe(Status.BadArgument);
  });
});

describe("expressions of proxy_on_configure", () => {
  /** Evaluates token 0, deletes it, and pauses unless the value is true. */
  const GUEST = `
    (import "env" "proxy_call_foreign_function"
      (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
    ${PRELUDE}
    (data (i32.const 16) "expr_createexpr_evaluateexpr_delete")
    (data (i32.const 51) "request.method == 'GET'\\00\\00\\00\\00")
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (i32.eqz (call $call (i32.const 16) (i32.const 11) (i32.const 51) (i32.const 23)
        (i32.const 0) (i32.const 0))))
    (func (export "proxy_on_request_headers") (param i32 i32) (param $end i32) (result i32)
      (drop (call $call (i32.const 27) (i32.const 13) (i32.const 74) (i32.const 4)
        (i32.const 256) (i32.const 260)))
      (drop (call $call (i32.const 40) (i32.const 11) (i32.const 74) (i32.const 4)
        (i32.const 0) (i32.const 0)))
      (if (i32.eqz (local.get $end)) (then unreachable))
      (if (i32.eqz (i32.load (i32.const 256))) (then (return (i32.const 1))))
      (i32.xor (i32.load8_u (i32.load (i32.const 256))) (i32.const 1)))`;

  test.each(["shared", "per_request"] as const)("work in every %s guest", (instances) => {
    const plugin = startPlugin(load(GUEST), new FakePluginHost(), {
      ...TEST_SETTINGS,
      instances,
    });
    const run = (method: string, end = true): string => {
      const host = new FakeFilterHost();
      host.properties.set("request.method", method);
      const filter = startFilter(plugin, host);
      const action = filter.onRequestHeaders(end);
      filter.onEnd();
      return action;
    };
    expect(run("GET")).toBe("continue");
    // A copy begins with what was configured; a shared guest has deleted it.
    expect(run("POST")).toBe(instances === "shared" ? "continue" : "pause");
    expect(() => run("GET", false)).toThrow("failed");
    expect(run("POST")).toBe("pause");
    plugin.close();
  });
});

const PROPERTIES: readonly (readonly [string, PropertyValue])[] = [
  ["request.method", "GET"],
  ["request.path", "/\xc3\xbc"],
  [
    "request.headers",
    HeaderList.from([
      ["X-A", "1"],
      ["X-A", "2"],
    ]),
  ],
  ["request.duration", 5n],
  ["request.time", 123_456_789n],
  ["connection.id", 7n],
  ["own", Uint8Array.of(0, 255)],
];

function token(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

/** @param inStream whether it calls in the context of an exchange */
function open(inStream = true) {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  const stream = inStream ? kit.stream(host) : undefined;
  const call = (name: string, argument: string | Uint8Array): number =>
    kit.within(stream, (env) =>
      env.proxy_call_foreign_function(
        ...kit.put(name),
        ...kit.put(Buffer.from(argument as string)),
        OUT,
        OUT + 4,
      ),
    );
  return { kit, host, call };
}
