import { pairs, quoted } from "../assemble.ts";
import { attack, type CallbackName, type HostileGuest, reply, SERVED } from "../guest.ts";

/** Local replies from everywhere, twice, and with things in them that would break the answer. */
const BAD_ARGUMENT = 2;
const BAD_MEMORY = 6;
const BAD_STATUSES = [0, 1, 99, 100, 101, 103, 199, 600, 999, -1, 0x7fff_ffff];

/** @param more arguments behind the status: details, body, headers, gRPC status */
const replying = (status: number, more: string): string =>
  `(call $proxy_send_local_response #${status} ${more})`;

function withHeaders(
  name: string,
  list: readonly (readonly [string, string])[],
  more: Partial<HostileGuest> & { status?: number; body?: string } = {},
): HostileGuest {
  const { status = 418, body = "short and stout", ...rest } = more;
  const bytes = pairs(list);
  return {
    expect: [String(status)],
    // Refused replies let the node's answer through.
    ...(rest.expect === undefined ? { bodyAtClient: body } : {}),
    ...rest,
    name: `reply-${name}`,
    wat: `(data (i32.const 32768) ${quoted(body)}) (data (i32.const 33024) ${quoted(bytes)})
      ${attack(
        "request_headers",
        `(drop ${replying(
          status,
          `#0 #0 #32768 #${body.length} #33024 #${bytes.byteLength} #-1`,
        )})`,
      )}`,
  };
}

const FROM: readonly [CallbackName, Partial<HostileGuest>][] = [
  ["context_create", {}],
  ["request_headers", {}],
  ["request_body", { request: "post" }],
  ["request_trailers", { request: "trailers" }],
  ["response_headers", {}],
  ["response_body", { expect: SERVED }],
  ["response_trailers", { request: "trailers", expect: SERVED }],
  ["log", { expect: SERVED }],
  ["done", { expect: SERVED }],
  ["delete", { expect: SERVED }],
];

export const REPLIES: readonly HostileGuest[] = [
  ...FROM.map(([where, more]) => ({
    expect: ["418"],
    ...more,
    name: `reply-from-${where.replaceAll("_", "-")}`,
    wat: attack(where, reply(418)),
  })),
  {
    name: "reply-twice",
    wat: attack("request_headers", `${reply(418)} ${reply(419)}`, 1),
    expect: ["418"],
  },
  {
    name: "reply-in-both-directions",
    wat: attack("request_headers", reply(418), 1) + attack("response_headers", reply(419)),
    expect: ["418"],
  },
  {
    name: "reply-to-every-callback",
    wat: [
      "context_create" as const,
      "request_headers" as const,
      "response_headers" as const,
      "response_body" as const,
      "log" as const,
      "done" as const,
    ]
      .map((name) => attack(name, reply(418)))
      .join("\n"),
    expect: ["418"],
  },
  {
    name: "reply-and-change-of-its-status",
    wat: `(data (i32.const 32768) ":status") (data (i32.const 32784) "999") ${
      attack("request_headers", reply(418)) +
      attack(
        "response_headers",
        "(drop (call $proxy_replace_header_map_value #2 #32768 #7 #32784 #3))",
      )
    }`,
    expect: ["418"],
  },
  {
    name: "reply-with-bad-statuses",
    wat: attack(
      "request_headers",
      BAD_STATUSES.map(
        (status) =>
          `(local.set $i ${replying(status, "#0 #0 #0 #0 #0 #0 #-1")})
          (local.set $j (i32.add (local.get $j) (i32.ne (local.get $i) #${BAD_ARGUMENT})))`,
      ).join("\n") + "(call $expect (local.get $j) #0)",
    ),
    expect: SERVED,
  },
  {
    name: "reply-with-bad-pointers",
    wat: attack(
      "request_headers",
      [
        "#0 #0 #0 #65537 #0 #0 #-1",
        "#0 #0 #-1 #1 #0 #0 #-1",
        "#0 #0 #0 #-1 #0 #0 #-1",
        "#0 #0 #0 #0 #65536 #1 #-1",
        "#-1 #-1 #0 #0 #0 #0 #-1",
        "#0 #0 #0xffff0000 #1 #0 #0 #-1",
      ]
        .map(
          (more) =>
            `(local.set $i ${replying(418, more)})
            (local.set $j (i32.add (local.get $j) (i32.ne (local.get $i) #${BAD_MEMORY})))`,
        )
        .join("\n") + "(call $expect (local.get $j) #0)",
    ),
    expect: SERVED,
  },
  {
    name: "reply-with-a-mebibyte",
    wat: `(memory (export "memory") 17) ${attack(
      "request_headers",
      `(memory.fill #65536 #120 #1048576)
      (drop ${replying(418, "#0 #0 #65536 #1048576 #0 #0 #-1")})`,
    )}`,
    expect: ["418"],
    bodyAtClient: "x".repeat(1 << 20),
  },
  {
    name: "reply-with-more-than-may-be",
    wat: `(memory (export "memory") 258) ${attack(
      "request_headers",
      `(call $expect ${replying(418, "#0 #0 #0 #16777217 #0 #0 #-1")} #${BAD_ARGUMENT})`,
    )}`,
    expect: SERVED,
  },
  withHeaders("with-line-breaks", [
    ["x-evil\r\nx-more", "1"],
    ["x-crlf", "1\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK"],
    ["x-lf", "1\nX-Evil: 1"],
    ["x-cr", "1\rX-Evil: 1"],
    ["x-nul", "1\x002"],
    ["x-tab", "a\tb"],
  ]),
  withHeaders("with-no-names", [
    ["", "1"],
    [" ", "1"],
    ["x evil", "1"],
    ["x-evil:", "1"],
    [":status", "200"],
    [":evil", "1"],
  ]),
  withHeaders("with-a-length-too-short", [["content-length", "3"]]),
  withHeaders("with-a-length-too-long", [["content-length", "3000"]]),
  withHeaders("with-two-lengths", [
    ["content-length", "3"],
    ["content-length", "4"],
  ]),
  withHeaders("with-chunks-that-are-none", [["transfer-encoding", "chunked"]]),
  withHeaders("with-both-framings", [
    ["transfer-encoding", "gzip, chunked"],
    ["content-length", "3"],
  ]),
  withHeaders("with-connection-lines", [
    ["connection", "upgrade, x-kept"],
    ["upgrade", "websocket"],
    ["keep-alive", "timeout=0"],
    ["trailer", "x-evil"],
    ["te", "trailers"],
  ]),
  withHeaders("with-a-body-that-204-has-not", [["content-length", "15"]], {
    status: 204,
    bodyAtClient: "",
  }),
  withHeaders("with-a-body-that-304-has-not", [["content-length", "15"]], {
    status: 304,
    bodyAtClient: "",
  }),
  withHeaders(
    "with-a-thousand-headers",
    Array.from({ length: 1024 }, (_, n) => [`x-${n}`, "1"] as const),
  ),
  withHeaders(
    "with-more-headers-than-may-be",
    Array.from({ length: 1025 }, (_, n) => [`x-${n}`, "1"] as const),
    { expect: SERVED },
  ),
  withHeaders("with-a-long-header", [["x-long", "y".repeat(20_000)]]),
];
