import { casesOf } from "../case.ts";
import { BUF, bufferCases, handling, outsideCases, refusedAtStart, trapping } from "../handlers.ts";
import { MAX, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const values = new Prototype("get_header_values", {
  kind: [0, "Request"],
  name: [text("x-a"), '"x-a"'],
  buffer: [[BUF, 256]],
});
const HEADERS = [
  ["X-A", "1"],
  ["x-b", ""],
  ["x-a", "two, 3"],
  ["x-c", "\xff\xe9"],
] as const;
const RUN = { request: { headers: [...HEADERS] } };

export const conformance = casesOf("get_header_values", [
  {
    name: "get_header_values() gives the values of all lines of that name, in any case",
    guest: handling(
      ["x-a", "X-A", "x-b", "x-c", "none"].map((name) => values.call({ name: text(name) })),
    ),
    run: RUN,
    lines: [
      'get_header_values(kind=Request, name="x-a") = 8589934601 -> values="1\\x00two, 3\\x00"',
      'get_header_values(kind=Request, name="X-A") = 8589934601 -> values="1\\x00two, 3\\x00"',
      'get_header_values(kind=Request, name="x-b") = 4294967297 -> values="\\x00"',
      'get_header_values(kind=Request, name="x-c") = 4294967299 -> values="\\xff\\xe9\\x00"',
      'get_header_values(kind=Request, name="none") = 0 -> values=""',
    ],
  },
  {
    name: "get_header_values() gives the host, and no pseudo header",
    guest: handling(
      ["host", "HOST", ":authority", ":path"].map((name) => values.call({ name: text(name) })),
    ),
    run: RUN,
    lines: [
      'get_header_values(kind=Request, name="host") = 4294967309 -> values="example.test\\x00"',
      'get_header_values(kind=Request, name="HOST") = 4294967309 -> values="example.test\\x00"',
      'get_header_values(kind=Request, name=":authority") = 0 -> values=""',
      'get_header_values(kind=Request, name=":path") = 0 -> values=""',
    ],
  },
  {
    name: "get_header_values() gives the request's in handle_response, and the response's",
    guest: handling(
      [values.call({ kind: 1 })],
      [values.call(), values.call({ kind: 1 }), values.call({ kind: 3 })],
    ),
    run: { ...RUN, upstream: { headers: [["X-A", "9"]] } },
    lines: [
      'get_header_values(kind=Response, name="x-a") = 0 -> values=""',
      'get_header_values(kind=Request, name="x-a") = 8589934601 -> values="1\\x00two, 3\\x00"',
      'get_header_values(kind=Response, name="x-a") = 4294967298 -> values="9\\x00"',
      'get_header_values(kind=ResponseTrailers, name="x-a") = 0 -> values=""',
    ],
  },
  {
    name: "get_header_values() tells count and bytes when the buffer is too small",
    guest: handling([
      values.call({ buffer: [BUF, 8] }),
      values.call({ buffer: [MAX, 0] }),
      ["log", 0, BUF, 4],
    ]),
    run: RUN,
    shows: ["log"],
    lines: [
      'get_header_values(kind=Request, name="x-a") = 8589934601 -> values=""',
      'get_header_values(kind=Request, name="x-a") = 8589934601 -> values=beyond-memory',
      'log(level=info, message="\\x00\\x00\\x00\\x00")',
      "log info: \\x00\\x00\\x00\\x00",
    ],
  },
  trapping({
    name: "get_header_values() traps on an empty name",
    call: values.call({ name: [0, 0] }),
    line: values.line("", { name: '""' }),
    why: "Cannot use a header without a name",
  }),
  ...[4, -1].map((kind) =>
    trapping({
      name: `get_header_values() traps on kind ${kind}, which there is not`,
      call: values.call({ kind }),
      line: values.line("", { kind: String(kind) }),
      why: `Cannot use headers of kind ${kind}: there are 0 to 3`,
    }),
  ),
  ...outsideCases(values, "name"),
  ...bufferCases(values, "buffer", "1\0two, 3\0".length).map((each) => ({ ...each, run: RUN })),
  refusedAtStart(values),
]);
