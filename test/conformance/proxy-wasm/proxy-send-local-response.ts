import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Arg, type Call, end, MAX, onRequest, pairs, type Step, text } from "../probe.ts";

const NAME = "proxy_send_local_response";
const CONTEXT = "proxy_set_effective_context";
const reply = (status: number, body: string): Call => [
  NAME,
  status,
  text("why"),
  text(body),
  pairs(["X-By", "guest"]),
  -1,
];
const REPLY: Step = { calls: [reply(403, "no")] };
const ADDRESSES: readonly (readonly [ptr: Arg, length: number])[] = [
  [end(), 1],
  [end(1), 2],
  [0, MAX],
  [MAX, 1],
  [0x8000_0000, 0x8000_0000],
];

const refused = (what: string): string =>
  `${NAME}(status=403, details="", ${what}, grpc_status=-1) = BadArgument`;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() takes effect when the callback has returned, whatever that answers`,
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [reply(403, "no"), ["proxy_log", 2, text("still here")]],
          answer: 0,
        },
        proxy_on_response_headers: { calls: [["proxy_log", 2, text("its own")]] },
      },
    },
    shows: ["callbacks", "client head", "log", "upstream head"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "log info: still here",
      "< proxy_on_request_headers = Continue",
      "> proxy_on_response_headers(context=2, headers=2, end_of_stream=false)",
      "log info: its own",
      "< proxy_on_response_headers = Continue",
      '=> client head 403 {X-By: "guest"}',
    ],
  },
  {
    name: `${NAME}() counts once: the first one wins, in one callback and in two`,
    guest: {
      on: {
        proxy_on_request_headers: { calls: [reply(403, "first"), reply(404, "second")] },
        proxy_on_response_headers: { calls: [reply(405, "third")] },
      },
    },
    shows: ["proxy_on_response_headers", "client head", "client body", "log"],
    lines: [
      'proxy_send_local_response(status=403, details="why", body="first", ' +
        'headers={X-By: "guest"}, grpc_status=-1) = Ok',
      'proxy_send_local_response(status=404, details="why", body="second", ' +
        'headers={X-By: "guest"}, grpc_status=-1) = Ok',
      "log warn: proxy_send_local_response has no effect: there is a reply already, " +
        "or the response was sent",
      "> proxy_on_response_headers(context=2, headers=2, end_of_stream=false)",
      'proxy_send_local_response(status=405, details="why", body="third", ' +
        'headers={X-By: "guest"}, grpc_status=-1) = Ok',
      "< proxy_on_response_headers = Continue",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "first"',
    ],
  },
  {
    name: `${NAME}() lets the guest change its reply's headers`,
    guest: {
      on: {
        proxy_on_request_headers: REPLY,
        proxy_on_response_headers: {
          calls: [["proxy_add_header_map_value", 2, text("x-more"), text("1")]],
        },
      },
    },
    shows: ["client head"],
    lines: [
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      '=> client head 403 {X-By: "guest", x-more: "1"}',
    ],
  },
  {
    name: `${NAME}() takes a gRPC status from 0 to 16 for a header`,
    guest: {
      on: {
        proxy_on_request_headers: { calls: [[NAME, 200, 0, 0, 0, 0, 0, 0, 16]] },
      },
    },
    shows: ["client"],
    lines: [
      'proxy_send_local_response(status=200, details="", body="", headers={}, ' +
        "grpc_status=16) = Ok",
      '=> client head 200 {grpc-status: "16"}',
      "=> client end",
    ],
  },
  {
    name: `${NAME}() takes no other gRPC status, and neither details nor body nor headers`,
    guest: onRequest([NAME, 204, 0, 0, 0, 0, 0, 0, 17]),
    shows: ["client"],
    lines: [
      'proxy_send_local_response(status=204, details="", body="", headers={}, ' +
        "grpc_status=17) = Ok",
      "=> client head 204 {}",
      "=> client end",
    ],
  },
  {
    name: `${NAME}() leaves out headers that would break the message, and warns once`,
    guest: onRequest([
      NAME,
      503,
      text("why"),
      text("no"),
      pairs(["x a", "1"], ["x-b", "1\r\nx-c: 2"], [":status", "200"], ["Retry-After", "3"]),
      -1,
    ]),
    shows: ["client head", "log"],
    lines: [
      'proxy_send_local_response(status=503, details="why", body="no", headers={"x ' +
        'a": "1", x-b: "1\\r\\nx-c: 2", :status: "200", Retry-After: "3"}, ' +
        "grpc_status=-1) = Ok",
      "log warn: Some header lines of a local response are left out: a name was no " +
        "token, a value had a control character, or it was a pseudo header",
      '=> client head 503 {Retry-After: "3"}',
    ],
  },
  {
    name: `${NAME}() takes statuses from 200 to 599`,
    guest: onRequest(
      ...[199, 0, -1, 600, MAX, 0x7fff_ffff, 100].map((status) => reply(status, "")),
      reply(599, ""),
    ),
    shows: ["client head"],
    lines: [
      'proxy_send_local_response(status=199, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=0, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=-1, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=600, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=-1, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=2147483647, details="why", body="", ' +
        'headers={X-By: "guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=100, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=599, details="why", body="", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      '=> client head 599 {X-By: "guest"}',
    ],
  },
  {
    name: `${NAME}() refuses malformed headers, and a body of more than 16 MiB`,
    guest: {
      pages: 257,
      ...onRequest(
        [NAME, 403, 0, 0, 0, 0, { bytes: Uint8Array.of(1, 0, 0, 0) }, -1],
        [NAME, 403, 0, 0, 0, 0, { bytes: Uint8Array.of(255, 255, 255, 255) }, -1],
        [NAME, 403, 0, 0, 32_768, 16 * 1024 * 1024 + 1, 0, 0, -1],
      ),
    },
    run: { upstream: {} },
    shows: ["client head"],
    lines: [
      refused('body="", headers="\\x01\\x00\\x00\\x00"'),
      refused('body="", headers="\\xff\\xff\\xff\\xff"'),
      refused(`body="${"\\x00".repeat(256)}"… (16777217 bytes), headers={}`),
      "=> client head 200 {}",
    ],
  },
  {
    name: `${NAME}() refuses details, bodies and headers that are not within memory`,
    guest: onRequest(
      ...ADDRESSES.flatMap(([ptr, length]): Call[] => [
        [NAME, 403, ptr, length, 0, 0, 0, 0, -1],
        [NAME, 403, 0, 0, ptr, length, 0, 0, -1],
        [NAME, 403, 0, 0, 0, 0, ptr, length, -1],
      ]),
    ),
    run: { upstream: {} },
    shows: ["client head"],
    lines: [
      'proxy_send_local_response(status=403, details=beyond-memory, body="", ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body=beyond-memory, ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body="", ' +
        "headers=beyond-memory, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details=beyond-memory, body="", ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body=beyond-memory, ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body="", ' +
        "headers=beyond-memory, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details=beyond-memory, body="", ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body=beyond-memory, ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body="", ' +
        "headers=beyond-memory, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details=beyond-memory, body="", ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body=beyond-memory, ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body="", ' +
        "headers=beyond-memory, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details=beyond-memory, body="", ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body=beyond-memory, ' +
        "headers={}, grpc_status=-1) = InvalidMemoryAccess",
      'proxy_send_local_response(status=403, details="", body="", ' +
        "headers=beyond-memory, grpc_status=-1) = InvalidMemoryAccess",
      "=> client head 200 {}",
    ],
  },
  {
    name: `${NAME}() answers BadArgument where there is no exchange`,
    guest: {
      on: {
        proxy_on_configure: REPLY,
        proxy_on_request_headers: { calls: [[CONTEXT, 1], reply(403, "no")] },
      },
    },
    lines: [
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
    ],
  },
  ...refusedOutsideOfContexts(
    [NAME, 403, 0, 0, 0, 0, 0, 0, -1],
    `${NAME}(status=403, details="", body="", headers={}, grpc_status=-1)`,
  ),
]);
