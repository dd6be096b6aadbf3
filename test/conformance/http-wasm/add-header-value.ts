import { casesOf } from "../case.ts";
import { BUF, handling, outsideCases, refusedAtStart, trapping } from "../handlers.ts";
import { type Call, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const add = new Prototype("add_header_value", {
  kind: [0, "Request"],
  name: [text("X-A"), '"X-A"'],
  value: [text("new"), '"new"'],
});
const get = (kind: number, name = "x-a"): Call => ["get_header_values", kind, text(name), BUF, 256];
const LINES = [
  ["x-a", "1"],
  ["X-A", "2"],
] as const;
const RUN = { request: { headers: [...LINES] }, upstream: { headers: [...LINES] } };
const READ: Call = ["read_body", 0, BUF, 8];
const ENABLE: Call = ["enable_features", 7];

const FULL = "Cannot add a header line: 1024 lines or 1048576 bytes are the limit";

export const conformance = casesOf("add_header_value", [
  {
    name: "add_header_value() adds one line to those that are there",
    guest: handling([add.call(), get(0), add.call({ name: text("x-new") }), get(0, "x-new")]),
    run: RUN,
    shows: ["get_header_values"],
    lines: [
      'add_header_value(kind=Request, name="X-A", value="new")',
      'get_header_values(kind=Request, name="x-a") = 12884901896 -> values="1\\x002\\x00new\\x00"',
      'add_header_value(kind=Request, name="x-new", value="new")',
      'get_header_values(kind=Request, name="x-new") = 4294967300 -> values="new\\x00"',
    ],
  },
  {
    name: "add_header_value() for a response that is to come is laid over it",
    guest: handling([add.call({ kind: 1 }), get(1)], [get(1)]),
    run: RUN,
    shows: ["get_header_values", "client"],
    lines: [
      'add_header_value(kind=Response, name="X-A", value="new")',
      'get_header_values(kind=Response, name="x-a") = 4294967300 -> values="new\\x00"',
      'get_header_values(kind=Response, name="x-a") = 12884901896 -> values="1\\x002\\x00new\\x00"',
      '=> client head 200 {x-a: "1", X-A: "2", X-A: "new"}',
      "=> client end",
    ],
  },
  {
    name: "add_header_value() for a response changes it with buffer_response",
    guest: handling([READ, ENABLE], [add.call({ kind: 1 }), get(1)]),
    run: RUN,
    shows: ["get_header_values", "client"],
    lines: [
      'add_header_value(kind=Response, name="X-A", value="new")',
      'get_header_values(kind=Response, name="x-a") = 12884901896 -> values="1\\x002\\x00new\\x00"',
      '=> client head 200 {x-a: "1", X-A: "2", X-A: "new"}',
      "=> client end",
    ],
  },
  {
    name: "add_header_value() changes trailers that are there, and gives a message some",
    guest: handling([READ, ENABLE, add.call({ kind: 2 }), get(2)], [add.call({ kind: 3 }), get(3)]),
    run: {
      request: { method: "POST", body: ["x"], trailers: [["x-a", "1"]] },
      upstream: { body: ["y"] },
    },
    shows: ["get_header_values", "client"],
    lines: [
      'add_header_value(kind=RequestTrailers, name="X-A", value="new")',
      'get_header_values(kind=RequestTrailers, name="x-a") = 8589934598 -> values="1\\x00new\\x00"',
      'add_header_value(kind=ResponseTrailers, name="X-A", value="new")',
      'get_header_values(kind=ResponseTrailers, name="x-a") = 4294967300 -> values="new\\x00"',
      "=> client head 200 {}",
      '=> client body "y"',
      '=> client end {X-A: "new"}',
    ],
  },
  {
    name: "add_header_value() takes an empty value, and another host",
    guest: handling([
      add.call({ value: [0, 0] }),
      get(0),
      add.call({ name: text("Host"), value: text("other.test:81") }),
      get(0, "host"),
    ]),
    run: RUN,
    shows: ["get_header_values"],
    lines: [
      'add_header_value(kind=Request, name="X-A", value="")',
      'get_header_values(kind=Request, name="x-a") = 12884901893 -> values="1\\x002\\x00\\x00"',
      'add_header_value(kind=Request, name="Host", value="other.test:81")',
      'get_header_values(kind=Request, name="host") = 4294967310 -> values="other.test:81\\x00"',
    ],
  },
  {
    name: "add_header_value() leaves a line out that would break the head, and warns once",
    guest: handling([
      add.call({ name: text("x y") }),
      add.call({ name: text(":path"), value: text("/x") }),
      add.call({ name: text("x-new"), value: text("1\r\n2") }),
      add.call({ name: text("host"), value: text("a b") }),
      get(0, "x-new"),
      get(0, "host"),
    ]),
    run: RUN,
    shows: ["get_header_values", "log"],
    lines: [
      'add_header_value(kind=Request, name="x y", value="new")',
      "log warn: Some header lines are left out: a name was no token, a value had a control " +
        "character, or Host was none",
      'add_header_value(kind=Request, name=":path", value="/x")',
      'add_header_value(kind=Request, name="x-new", value="1\\r\\n2")',
      'add_header_value(kind=Request, name="host", value="a b")',
      'get_header_values(kind=Request, name="x-new") = 0 -> values=""',
      'get_header_values(kind=Request, name="host") = 4294967309 -> values="example.test\\x00"',
    ],
  },
  {
    name: "add_header_value() traps on the line that would be one too many",
    guest: {
      ...handling([]),
      on: { handle_request: { calls: [{ times: 2000, call: add.call() }] }, handle_response: {} },
    },
    // With the five lines that the gateway adds.
    lines: [
      ...Array<string>(1019).fill(add.line("")),
      `${add.line("")} failed: ${FULL}`,
      `< handle_request failed: ${FULL}`,
    ],
  },
  trapping({
    name: "add_header_value() traps on an empty name",
    call: add.call({ name: [0, 0] }),
    line: add.line("", { name: '""' }),
    why: "Cannot use a header without a name",
  }),
  trapping({
    name: "add_header_value() traps on a name above 1 MiB",
    call: add.call({ name: [0, 1_048_577] }),
    line: add.line("", { name: shownLong("\\x00", 1_048_577) }),
    why: "Cannot take a header name of 1048577 bytes: the limit is 1048576",
    pages: 20,
  }),
  ...[4, -1].map((kind) =>
    trapping({
      name: `add_header_value() traps on kind ${kind}, which there is not`,
      call: add.call({ kind }),
      line: add.line("", { kind: String(kind) }),
      why: `Cannot use headers of kind ${kind}: there are 0 to 3`,
    }),
  ),
  trapping({
    name: "add_header_value() traps on the request's in handle_response: it has been sent",
    call: add.call(),
    line: add.line(""),
    why: "Cannot change request headers in handle_response: the request has been sent",
    within: "handle_response",
  }),
  trapping({
    name: "add_header_value() traps on the response's in handle_response without buffer_response",
    call: add.call({ kind: 1 }),
    line: add.line("", { kind: "Response" }),
    why: "Cannot change response headers in handle_response without the feature buffer_response",
    within: "handle_response",
  }),
  ...[2, 3].map((kind) =>
    trapping({
      name: `add_header_value() traps on trailers of kind ${kind} without the feature`,
      call: add.call({ kind }),
      line: add.line("", { kind: kind === 2 ? "RequestTrailers" : "ResponseTrailers" }),
      why: "Cannot change trailers without the feature trailers",
    }),
  ),
  ...outsideCases(add, "name"),
  ...outsideCases(add, "value"),
  refusedAtStart(add),
]);
