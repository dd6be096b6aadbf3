import { casesOf } from "../case.ts";
import { BUF, bufferCases, handling, refusedAtStart } from "../handlers.ts";
import { type Call, MAX } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const get = new Prototype("get_protocol_version", { buffer: [[BUF, 64]] });
const RUN = { request: { url: "http://example.test/a?b=c" } };
/** "HTTP/1.1" */
const LENGTH = 8;

export const conformance = casesOf("get_protocol_version", [
  {
    name: "get_protocol_version() gives the version with both numbers, in both handlers",
    guest: handling([get.call()], [get.call()]),
    run: RUN,
    lines: Array<string>(2).fill('get_protocol_version() = 8 -> version="HTTP/1.1"'),
  },
  {
    name: "get_protocol_version() knows HTTP/1.0",
    guest: handling([get.call()]),
    run: { request: { version: "1.0" } },
    lines: ['get_protocol_version() = 8 -> version="HTTP/1.0"'],
  },
  {
    name: "get_protocol_version() writes nothing when the buffer is too small, wherever it is",
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
      'get_protocol_version() = 8 -> version=""',
      'get_protocol_version() = 8 -> version=""',
      "get_protocol_version() = 8 -> version=beyond-memory",
      'log(level=info, message="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00")',
      "log info: \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
      'get_protocol_version() = 8 -> version="HTTP/1.1"',
    ],
  },
  ...bufferCases(get, "buffer", LENGTH).map((each) => ({ ...each, run: RUN })),
  refusedAtStart(get),
]);
