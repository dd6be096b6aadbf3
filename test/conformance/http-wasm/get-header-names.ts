import { casesOf } from "../case.ts";
import { BUF, bufferCases, handling, refusedAtStart, trapping } from "../handlers.ts";
import { type Call, MAX } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const names = new Prototype("get_header_names", {
  kind: [0, "Request"],
  buffer: [[BUF, 256]],
});
const HEADERS = [
  ["X-B", "1"],
  ["x-a", "2"],
  ["x-b", "3"],
] as const;
const RUN = { request: { headers: [...HEADERS] } };
const READ: Call = ["read_body", 0, BUF, 8];
const ENABLE: Call = ["enable_features", 7];

/** What the run's request has, with the lines that the gateway adds. */
const OWN = "host x-b x-a ";
const ADDED = "x-forwarded-for x-real-ip x-forwarded-proto x-forwarded-host x-forwarded-port ";
const ALL = (OWN + ADDED).replaceAll(" ", "\\x00");
/** 8 names of 91 bytes. */
const COUNT_AND_BYTES = (8n << 32n) | 91n;

export const conformance = casesOf("get_header_names", [
  {
    name: "get_header_names() gives each name once, in lower case, with host, in both handlers",
    guest: handling([names.call()], [names.call()]),
    run: RUN,
    lines: [
      names.line(`${COUNT_AND_BYTES} -> names="${ALL}"`),
      names.line(`${COUNT_AND_BYTES} -> names="${ALL}"`),
    ],
  },
  {
    name: "get_header_names() gives none of a response that there is not, and then the upstream's",
    guest: handling([names.call({ kind: 1 })], [names.call({ kind: 1 })]),
    run: { upstream: { headers: [...HEADERS] } },
    lines: [
      'get_header_names(kind=Response) = 0 -> names=""',
      'get_header_names(kind=Response) = 8589934600 -> names="x-b\\x00x-a\\x00"',
    ],
  },
  {
    name: "get_header_names() gives names of trailers with the feature, and none without it",
    guest: handling(
      [READ, names.call({ kind: 2 }), ENABLE, names.call({ kind: 2 }), names.call({ kind: 3 })],
      [names.call({ kind: 2 }), names.call({ kind: 3 })],
    ),
    run: {
      request: { method: "POST", body: ["x"], trailers: [["X-Sum", "1"]] },
      upstream: { body: ["y"], trailers: [["X-Total", "2"]] },
    },
    lines: [
      'get_header_names(kind=RequestTrailers) = 0 -> names=""',
      'get_header_names(kind=RequestTrailers) = 4294967302 -> names="x-sum\\x00"',
      'get_header_names(kind=ResponseTrailers) = 0 -> names=""',
      'get_header_names(kind=RequestTrailers) = 4294967302 -> names="x-sum\\x00"',
      'get_header_names(kind=ResponseTrailers) = 4294967304 -> names="x-total\\x00"',
    ],
  },
  {
    name: "get_header_names() has no trailers of a message that has none",
    guest: handling([READ, ENABLE, names.call({ kind: 2 })]),
    lines: ['get_header_names(kind=RequestTrailers) = 0 -> names=""'],
  },
  {
    name: "get_header_names() tells count and bytes of what does not fit, and writes nothing",
    guest: handling([
      names.call({ buffer: [BUF, 12] }),
      names.call({ buffer: [MAX, 0] }),
      ["log", 0, BUF, 4],
    ]),
    run: RUN,
    shows: ["log"],
    lines: [
      'get_header_names(kind=Request) = 34359738459 -> names=""',
      "get_header_names(kind=Request) = 34359738459 -> names=beyond-memory",
      'log(level=info, message="\\x00\\x00\\x00\\x00")',
      "log info: \\x00\\x00\\x00\\x00",
    ],
  },
  ...[4, -1, 0x7fff_ffff].map((kind) =>
    trapping({
      name: `get_header_names() traps on kind ${kind}, which there is not`,
      call: names.call({ kind }),
      line: names.line("", { kind: String(kind) }),
      why: `Cannot use headers of kind ${kind}: there are 0 to 3`,
    }),
  ),
  ...bufferCases(names, "buffer", 91).map((each) => ({ ...each, run: RUN })),
  refusedAtStart(names),
]);
