import { casesOf } from "../case.ts";
import { BUF, bufferCases, handling, refusedAtStart } from "../handlers.ts";
import { type Call, MAX } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const get = new Prototype("get_source_addr", { buffer: [[BUF, 64]] });
const RUN = { request: { url: "http://example.test/a?b=c" } };
/** "192.0.2.7:50000" */
const LENGTH = 15;

export const conformance = casesOf("get_source_addr", [
  {
    name: "get_source_addr() gives the client's address and port, in both handlers",
    guest: handling([get.call()], [get.call()]),
    run: RUN,
    lines: Array<string>(2).fill('get_source_addr() = 15 -> address="192.0.2.7:50000"'),
  },
  {
    name: "get_source_addr() writes nothing when the buffer is too small, wherever it is",
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
      'get_source_addr() = 15 -> address=""',
      'get_source_addr() = 15 -> address=""',
      "get_source_addr() = 15 -> address=beyond-memory",
      `log(level=info, message="${"\\x00".repeat(LENGTH)}")`,
      "log info: \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
      'get_source_addr() = 15 -> address="192.0.2.7:50000"',
    ],
  },
  ...bufferCases(get, "buffer", LENGTH).map((each) => ({ ...each, run: RUN })),
  refusedAtStart(get),
]);
