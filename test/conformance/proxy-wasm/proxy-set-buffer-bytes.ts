import { type Case, casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Arg, type Call, end, MAX, onRequest, text } from "../probe.ts";

const NAME = "proxy_set_buffer_bytes";
const set = (type: number, start: number, length: number, ...bytes: Arg[]): Call => [
  NAME,
  type,
  start,
  length,
  ...bytes,
];
const POST = { method: "POST", body: ["hello"] };

const MAX_BYTES = 16 * 1024 * 1024;
/** As a transcript shows so many. */
const ZEROS = `"${"\\x00".repeat(256)}"… (${MAX_BYTES} bytes)`;

/** What becomes of "hello", in the request and in the response. */
const SPLICES: readonly (readonly [what: string, Call, shown: string, body: string])[] = [
  ["prepends at 0, 0", set(0, 0, 0, text("so ")), 'start=0, length=0, bytes="so "', "so hello"],
  [
    "replaces all by 0 and the length",
    set(0, 0, 5, text("x")),
    'start=0, length=5, bytes="x"',
    "x",
  ],
  [
    "replaces all by 0 and more",
    set(0, 0, MAX, text("x")),
    'start=0, length=4294967295, bytes="x"',
    "x",
  ],
  ["appends at the end", set(0, 5, 0, text("!")), 'start=5, length=0, bytes="!"', "hello!"],
  [
    "appends beyond the end",
    set(0, MAX, 0, text("!")),
    'start=4294967295, length=0, bytes="!"',
    "hello!",
  ],
  ["splices", set(0, 1, 3, text("ipp")), 'start=1, length=3, bytes="ipp"', "hippo"],
  ["cuts out", set(0, 1, 3, 0, 0), 'start=1, length=3, bytes=""', "ho"],
  ["cuts the end off", set(0, 1, MAX, 0, 0), 'start=1, length=4294967295, bytes=""', "h"],
  [
    "takes any bytes",
    set(0, 0, 5, text("\0\xff")),
    'start=0, length=5, bytes="\\x00\\xff"',
    "\\x00\\xff",
  ],
];

const splices = SPLICES.flatMap(([what, call, shown, body]): Case[] => [
  {
    name: `${NAME}() ${what} in a request`,
    guest: { on: { proxy_on_request_body: { calls: [call] } } },
    run: { request: POST, upstream: {} },
    shows: ["upstream body"],
    lines: [`${NAME}(buffer=HttpRequestBody, ${shown}) = Ok`, `=> upstream body "${body}"`],
  },
  {
    name: `${NAME}() ${what} in a response`,
    guest: { on: { proxy_on_response_body: { calls: [[NAME, 1, ...call.slice(2)] as Call] } } },
    run: { upstream: { body: ["hello"] } },
    shows: ["client body"],
    lines: [`${NAME}(buffer=HttpResponseBody, ${shown}) = Ok`, `=> client body "${body}"`],
  },
]);

export const conformance = casesOf(NAME, [
  ...splices,
  {
    name: `${NAME}() makes a body empty`,
    guest: { on: { proxy_on_request_body: { calls: [set(0, 0, MAX, 0, 0)] } } },
    run: { request: POST, upstream: {} },
    shows: ["upstream body", "upstream end"],
    lines: [
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295, " +
        'bytes="") = Ok',
      "=> upstream end",
    ],
  },
  {
    name: `${NAME}() works on all that is held back, and again on what it has made`,
    guest: {
      on: {
        proxy_on_request_body: [
          { calls: [set(0, MAX, 0, text("1"))], answer: 1 },
          { calls: [set(0, 0, 0, text("0"))] },
        ],
      },
    },
    run: { request: { method: "POST", body: ["a", "b"] }, upstream: {} },
    shows: ["proxy_on_request_body", "upstream body"],
    lines: [
      "> proxy_on_request_body(context=2, body=1, end_of_stream=false)",
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=4294967295, length=0, " +
        'bytes="1") = Ok',
      "< proxy_on_request_body = Pause",
      "> proxy_on_request_body(context=2, body=3, end_of_stream=true)",
      'proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=0, bytes="0") = Ok',
      "< proxy_on_request_body = Continue",
      '=> upstream body "0a1b"',
    ],
  },
  {
    name: `${NAME}() is Ok, warns once and does nothing where no body is held`,
    guest: {
      on: {
        proxy_on_configure: { calls: [set(0, 0, 0, text("x"))] },
        proxy_on_request_headers: { calls: [set(0, 0, 0, text("x")), set(1, 0, 0, text("x"))] },
        proxy_on_response_body: { calls: [set(0, 0, 0, text("x"))] },
        proxy_on_log: { calls: [set(1, 0, 0, text("x"))] },
      },
    },
    run: { request: POST, upstream: { body: ["answered"] } },
    shows: ["log", "upstream body", "client body"],
    lines: [
      'proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=0, bytes="x") = Ok',
      "log warn: proxy_set_buffer_bytes has no effect: that body is held only in its " +
        "callback and while paused",
      'proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=0, bytes="x") = Ok',
      'proxy_set_buffer_bytes(buffer=HttpResponseBody, start=0, length=0, bytes="x") = Ok',
      '=> upstream body "hello"',
      'proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=0, bytes="x") = Ok',
      '=> client body "answered"',
      'proxy_set_buffer_bytes(buffer=HttpResponseBody, start=0, length=0, bytes="x") = Ok',
    ],
  },
  {
    name: `${NAME}() refuses buffers that are only read, and types that there are not`,
    guest: onRequest(
      ...[2, 3, 4, 5, 6, 7, 8, 9, -1, 0x7fff_ffff].map((type) => set(type, 0, 0, text("x"))),
    ),
    lines: [
      'proxy_set_buffer_bytes(buffer=DownstreamData, start=0, length=0, bytes="x") = ' +
        "BadArgument",
      'proxy_set_buffer_bytes(buffer=UpstreamData, start=0, length=0, bytes="x") = ' +
        "BadArgument",
      "proxy_set_buffer_bytes(buffer=HttpCallResponseBody, start=0, length=0, " +
        'bytes="x") = BadArgument',
      'proxy_set_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=0, bytes="x") ' +
        "= BadArgument",
      'proxy_set_buffer_bytes(buffer=VmConfiguration, start=0, length=0, bytes="x") = ' +
        "BadArgument",
      "proxy_set_buffer_bytes(buffer=PluginConfiguration, start=0, length=0, " +
        'bytes="x") = BadArgument',
      'proxy_set_buffer_bytes(buffer=CallData, start=0, length=0, bytes="x") = BadArgument',
      'proxy_set_buffer_bytes(buffer=9, start=0, length=0, bytes="x") = BadArgument',
      'proxy_set_buffer_bytes(buffer=-1, start=0, length=0, bytes="x") = BadArgument',
      'proxy_set_buffer_bytes(buffer=2147483647, start=0, length=0, bytes="x") = BadArgument',
    ],
  },
  {
    name: `${NAME}() refuses bytes that are not within memory, and leaves the body as it is`,
    guest: {
      on: {
        proxy_on_request_body: {
          calls: [
            set(0, 0, 5, end(), 1),
            set(0, 0, 5, end(1), 2),
            set(0, 0, 5, 0, MAX),
            set(0, 0, 5, MAX, 1),
            set(0, 0, 5, MAX, MAX),
            set(0, 0, 5, 0x8000_0000, 0x8000_0000),
          ],
        },
      },
    },
    run: { request: POST, upstream: {} },
    shows: ["upstream body"],
    lines: [
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=5, " +
        "bytes=beyond-memory) = InvalidMemoryAccess",
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=5, " +
        "bytes=beyond-memory) = InvalidMemoryAccess",
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=5, " +
        "bytes=beyond-memory) = InvalidMemoryAccess",
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=5, " +
        "bytes=beyond-memory) = InvalidMemoryAccess",
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=5, " +
        "bytes=beyond-memory) = InvalidMemoryAccess",
      "proxy_set_buffer_bytes(buffer=HttpRequestBody, start=0, length=5, " +
        "bytes=beyond-memory) = InvalidMemoryAccess",
      '=> upstream body "hello"',
    ],
  },
  {
    name: `${NAME}() refuses what would make a body longer than 16 MiB`,
    guest: {
      pages: 257,
      on: {
        proxy_on_request_body: {
          calls: [set(0, 0, 4, end(MAX_BYTES), MAX_BYTES), set(0, 0, 5, end(MAX_BYTES), MAX_BYTES)],
        },
      },
    },
    run: { request: POST, upstream: {} },
    lines: [
      `${NAME}(buffer=HttpRequestBody, start=0, length=4, bytes=${ZEROS}) = BadArgument`,
      `${NAME}(buffer=HttpRequestBody, start=0, length=5, bytes=${ZEROS}) = Ok`,
    ],
  },
  ...refusedOutsideOfContexts(
    set(0, 0, 0, text("x")),
    `${NAME}(buffer=HttpRequestBody, start=0, length=0, bytes="x")`,
  ),
]);
