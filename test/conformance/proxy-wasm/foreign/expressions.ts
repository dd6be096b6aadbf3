import type { Case } from "../../case.ts";
import { type Call, loaded, out, text } from "../../probe.ts";
import { asking, ok } from "./asking.ts";

/** Reads an expression, whose token a later call finds at "token". */
const create = (expression: string): Call => [
  "proxy_call_foreign_function",
  text("expr_create"),
  text(expression),
  out("token"),
  out(),
];
const evaluate: Call = [
  "proxy_call_foreign_function",
  text("expr_evaluate"),
  loaded("token"),
  4,
  out("value"),
  out("length"),
];
const created = (expression: string, token = 0): string =>
  asking("expr_create", expression).line(ok(tokenOf(token)));
const evaluated = (result: string, token = 0): string =>
  asking("expr_evaluate", tokenOf(token)).line(result);

function tokenOf(token: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(token);
  return bytes.toString("latin1");
}

/** i64, little-endian. */
function int(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Each type of value in its encoding. */
const VALUES: readonly (readonly [expression: string, value: string | Uint8Array])[] = [
  ["request.method", "GET"],
  ["request.headers['x-a'] + '!'", "1!"],
  ["size(request.path)", int(1n)],
  ["-1", int(-1n)],
  ["18446744073709551615u", int(-1n)],
  ["0.5", double(0.5)],
  ["request.method == 'GET' && !('x' in request.headers)", "\x01"],
  ["1 > 2", "\0"],
  ["b'\\x00\\xff'", "\0\xff"],
  ["''", ""],
  ["duration('1.5s')", int(1_500_000_000n)],
];

const NONE = ["", "1 +", "(".repeat(100), "\0", "a".repeat(2049)].map((each) =>
  asking("expr_create", each),
);
const BAD_TOKENS = ["", "\0\0\0", "\0\0\0\0\0"];
const UNKNOWN = ["\0\0\0\0", "\x07\0\0\0", "\xff\xff\xff\xff"];

export const expressionCases: readonly Case[] = [
  {
    name: "expr_evaluate gives the value in the encoding of properties",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: VALUES.flatMap(([expression]) => [create(expression), evaluate]),
        },
      },
    },
    run: { request: { headers: [["X-A", "1"]] } },
    lines: VALUES.flatMap(([expression, value], token) => [
      created(expression, token),
      evaluated(ok(value), token),
    ]),
  },
  {
    name: "expr_evaluate works in an exchange on what the root context has created",
    guest: {
      on: {
        proxy_on_configure: { calls: [create("request.path")] },
        proxy_on_request_headers: { calls: [evaluate] },
      },
    },
    run: { request: { url: "http://example.test/a?b" }, instances: "per_request" },
    lines: [created("request.path"), evaluated(ok("/a?b"))],
  },
  {
    name: "expr_create answers BadArgument to what is no expression",
    guest: { on: { proxy_on_configure: { calls: NONE.map(({ call }) => call) } } },
    lines: NONE.map(({ line }) => line("BadArgument")),
  },
  {
    name: "expr_create keeps 256 expressions, and no more until one is deleted",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            { times: 257, call: asking("expr_create", "1").call },
            asking("expr_delete", "\x07\0\0\0").call,
            asking("expr_create", "1").call,
          ],
        },
      },
    },
    lines: [
      ...Array.from({ length: 256 }, (_, token) => created("1", token)),
      asking("expr_create", "1").line("InternalFailure"),
      asking("expr_delete", "\x07\0\0\0").line(ok("")),
      created("1", 256),
    ],
  },
  {
    name: "expr_evaluate answers NotFound to a token of nothing, BadArgument to what is none",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [...UNKNOWN, ...BAD_TOKENS].map((each) => asking("expr_evaluate", each).call),
        },
      },
    },
    lines: [
      ...UNKNOWN.map((each) => asking("expr_evaluate", each).line("NotFound")),
      ...BAD_TOKENS.map((each) => asking("expr_evaluate", each).line("BadArgument")),
    ],
  },
  {
    name: "expr_evaluate answers InternalFailure where there is no value",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: ["1 / 0", "request.headers['none']", "nobody.knows", "request.method + 1"].flatMap(
            (each) => [create(each), evaluate],
          ),
        },
      },
    },
    shows: ["log"],
    lines: [
      created("1 / 0"),
      evaluated("InternalFailure"),
      "log debug: expr_evaluate: There is no value: int divide by zero",
      created("request.headers['none']", 1),
      evaluated("InternalFailure", 1),
      "log debug: expr_evaluate: There is no value: field not found: none",
      created("nobody.knows", 2),
      evaluated("InternalFailure", 2),
      "log debug: expr_evaluate: There is no value: unresolved attribute",
      created("request.method + 1", 3),
      evaluated("InternalFailure", 3),
      "log debug: expr_evaluate: There is no value: found no matching overload for '_+_' " +
        "applied to '(string, int)'",
    ],
  },
  {
    name: "expr_evaluate answers InternalFailure in the root context, which has no exchange",
    guest: { on: { proxy_on_configure: { calls: [create("request.path"), evaluate] } } },
    lines: [created("request.path"), evaluated("InternalFailure")],
  },
  {
    name: "expr_evaluate answers SerializationFailure to values without an encoding",
    guest: {
      on: {
        proxy_on_configure: {
          calls: ["null", "type(1)"].flatMap((each) => [create(each), evaluate]),
        },
      },
    },
    lines: [
      created("null"),
      evaluated("SerializationFailure"),
      created("type(1)", 1),
      evaluated("SerializationFailure", 1),
    ],
  },
  {
    name: "expr_delete deletes, is Ok again, and answers BadArgument to what is no token",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            create("1"),
            asking("expr_delete", "\0\0\0\0").call,
            asking("expr_delete", "\0\0\0\0").call,
            evaluate,
            ...BAD_TOKENS.map((each) => asking("expr_delete", each).call),
          ],
        },
      },
    },
    lines: [
      created("1"),
      asking("expr_delete", "\0\0\0\0").line(ok("")),
      asking("expr_delete", "\0\0\0\0").line(ok("")),
      evaluated("NotFound"),
      ...BAD_TOKENS.map((each) => asking("expr_delete", each).line("BadArgument")),
    ],
  },
];
