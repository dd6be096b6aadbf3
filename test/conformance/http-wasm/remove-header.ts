import { casesOf } from "../case.ts";
import { BUF, handling, outsideCases, refusedAtStart, trapping } from "../handlers.ts";
import { type Call, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const remove = new Prototype("remove_header", {
  kind: [0, "Request"],
  name: [text("X-A"), '"X-A"'],
});
const get = (kind: number, name = "x-a"): Call => ["get_header_values", kind, text(name), BUF, 256];
const LINES = [
  ["x-a", "1"],
  ["X-A", "2"],
] as const;
const RUN = { request: { headers: [...LINES] }, upstream: { headers: [...LINES] } };
const READ: Call = ["read_body", 0, BUF, 8];
const ENABLE: Call = ["enable_features", 7];

export const conformance = casesOf("remove_header", [
  {
    name: "remove_header() removes all lines of that name, and nothing where there is none",
    guest: handling([remove.call(), get(0), remove.call({ name: text("x-new") })]),
    run: RUN,
    shows: ["get_header_values"],
    lines: [
      'remove_header(kind=Request, name="X-A")',
      'get_header_values(kind=Request, name="x-a") = 0 -> values=""',
      'remove_header(kind=Request, name="x-new")',
    ],
  },
  {
    name: "remove_header() for a response that is to come has nothing to remove",
    guest: handling([remove.call({ kind: 1 }), get(1)], [get(1)]),
    run: RUN,
    shows: ["get_header_values", "client"],
    lines: [
      'remove_header(kind=Response, name="X-A")',
      'get_header_values(kind=Response, name="x-a") = 0 -> values=""',
      'get_header_values(kind=Response, name="x-a") = 8589934596 -> values="1\\x002\\x00"',
      '=> client head 200 {x-a: "1", X-A: "2"}',
      "=> client end",
    ],
  },
  {
    name: "remove_header() for a response changes it with buffer_response",
    guest: handling([READ, ENABLE], [remove.call({ kind: 1 }), get(1)]),
    run: RUN,
    shows: ["get_header_values", "client"],
    lines: [
      'remove_header(kind=Response, name="X-A")',
      'get_header_values(kind=Response, name="x-a") = 0 -> values=""',
      "=> client head 200 {}",
      "=> client end",
    ],
  },
  {
    name: "remove_header() removes trailers",
    guest: handling(
      [READ, ENABLE, remove.call({ kind: 2 }), get(2)],
      [remove.call({ kind: 3 }), get(3)],
    ),
    run: {
      request: { method: "POST", body: ["x"], trailers: [["x-a", "1"]] },
      upstream: { body: ["y"], trailers: [["x-a", "2"]] },
    },
    shows: ["get_header_values", "client"],
    lines: [
      'remove_header(kind=RequestTrailers, name="X-A")',
      'get_header_values(kind=RequestTrailers, name="x-a") = 0 -> values=""',
      'remove_header(kind=ResponseTrailers, name="X-A")',
      'get_header_values(kind=ResponseTrailers, name="x-a") = 0 -> values=""',
      "=> client head 200 {}",
      '=> client body "y"',
      "=> client end",
    ],
  },
  {
    name: "remove_header() lets the host stay, which a request needs, and what is no name",
    guest: handling([
      remove.call({ name: text("Host") }),
      remove.call({ name: text(":path") }),
      remove.call({ name: text("x y") }),
      get(0, "host"),
    ]),
    run: RUN,
    shows: ["get_header_values", "log"],
    lines: [
      'remove_header(kind=Request, name="Host")',
      "log warn: Some header lines are left out: a name was no token, a value had a control " +
        "character, or Host was none",
      'remove_header(kind=Request, name=":path")',
      'remove_header(kind=Request, name="x y")',
      'get_header_values(kind=Request, name="host") = 4294967309 -> values="example.test\\x00"',
    ],
  },
  trapping({
    name: "remove_header() traps on an empty name",
    call: remove.call({ name: [0, 0] }),
    line: remove.line("", { name: '""' }),
    why: "Cannot use a header without a name",
  }),
  trapping({
    name: "remove_header() traps on a name above 1 MiB",
    call: remove.call({ name: [0, 1_048_577] }),
    line: remove.line("", { name: shownLong("\\x00", 1_048_577) }),
    why: "Cannot take a header name of 1048577 bytes: the limit is 1048576",
    pages: 20,
  }),
  ...[4, -1].map((kind) =>
    trapping({
      name: `remove_header() traps on kind ${kind}, which there is not`,
      call: remove.call({ kind }),
      line: remove.line("", { kind: String(kind) }),
      why: `Cannot use headers of kind ${kind}: there are 0 to 3`,
    }),
  ),
  trapping({
    name: "remove_header() traps on the request's in handle_response: it has been sent",
    call: remove.call(),
    line: remove.line(""),
    why: "Cannot change request headers in handle_response: the request has been sent",
    within: "handle_response",
  }),
  trapping({
    name: "remove_header() traps on the response's in handle_response without buffer_response",
    call: remove.call({ kind: 1 }),
    line: remove.line("", { kind: "Response" }),
    why: "Cannot change response headers in handle_response without the feature buffer_response",
    within: "handle_response",
  }),
  ...[2, 3].map((kind) =>
    trapping({
      name: `remove_header() traps on trailers of kind ${kind} without the feature`,
      call: remove.call({ kind }),
      line: remove.line("", { kind: kind === 2 ? "RequestTrailers" : "ResponseTrailers" }),
      why: "Cannot change trailers without the feature trailers",
    }),
  ),
  ...outsideCases(remove, "name"),
  refusedAtStart(remove),
]);
