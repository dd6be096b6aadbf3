import { casesOf } from "../case.ts";
import { BUF, bufferCases, handling, refusedAtStart } from "../handlers.ts";
import { type Call, MAX } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const get = new Prototype("get_uri", { buffer: [[BUF, 64]] });
const RUN = { request: { url: "http://example.test/a?b=c" } };
/** "/a?b=c" */
const LENGTH = 6;

export const conformance = casesOf("get_uri", [
  {
    name: "get_uri() gives path and query as they came, in both handlers",
    guest: handling([get.call()], [get.call()]),
    run: RUN,
    lines: ['get_uri() = 6 -> uri="/a?b=c"', 'get_uri() = 6 -> uri="/a?b=c"'],
  },
  {
    name: "get_uri() decodes nothing",
    guest: handling([get.call()]),
    run: { request: { url: "http://example.test/%C3%A9/x?%20&a=%ff" } },
    lines: ['get_uri() = 19 -> uri="/%C3%A9/x?%20&a=%ff"'],
  },
  {
    name: "get_uri() gives a slash for no path at all",
    guest: handling([get.call()]),
    run: { request: { url: "http://example.test" } },
    lines: ['get_uri() = 1 -> uri="/"'],
  },
  {
    name: "get_uri() writes nothing when the buffer is too small, wherever it is",
    guest: handling([
      get.call({ buffer: [BUF, LENGTH - 1] }),
      get.call({ buffer: [BUF, 0] }),
      get.call({ buffer: [MAX, 0] }),
      ["log", 0, BUF, LENGTH],
      get.call({ buffer: [BUF, LENGTH] }),
    ] satisfies Call[]),
    run: RUN,
    shows: ["log"],
    lines: [
      'get_uri() = 6 -> uri=""',
      'get_uri() = 6 -> uri=""',
      "get_uri() = 6 -> uri=beyond-memory",
      'log(level=info, message="\\x00\\x00\\x00\\x00\\x00\\x00")',
      "log info: \\x00\\x00\\x00\\x00\\x00\\x00",
      'get_uri() = 6 -> uri="/a?b=c"',
    ],
  },
  ...bufferCases(get, "buffer", LENGTH).map((each) => ({ ...each, run: RUN })),
  refusedAtStart(get),
]);
