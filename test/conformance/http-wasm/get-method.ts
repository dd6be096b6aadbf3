import { casesOf } from "../case.ts";
import { BUF, bufferCases, handling, refusedAtStart } from "../handlers.ts";
import { type Call, MAX, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const get = new Prototype("get_method", { buffer: [[BUF, 64]] });
const RUN = { request: { url: "http://example.test/a?b=c" } };
/** "GET" */
const LENGTH = 3;

export const conformance = casesOf("get_method", [
  {
    name: "get_method() gives the method, in both handlers",
    guest: handling([get.call()], [get.call()]),
    run: RUN,
    lines: ['get_method() = 3 -> method="GET"', 'get_method() = 3 -> method="GET"'],
  },
  {
    name: "get_method() gives what the guest has set",
    guest: handling([get.call(), ["set_method", text("PATCH")], get.call()], [get.call()]),
    run: { request: { method: "DELETE" } },
    lines: [
      'get_method() = 6 -> method="DELETE"',
      'get_method() = 5 -> method="PATCH"',
      'get_method() = 5 -> method="PATCH"',
    ],
  },
  {
    name: "get_method() writes nothing when the buffer is too small, wherever it is",
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
      'get_method() = 3 -> method=""',
      'get_method() = 3 -> method=""',
      "get_method() = 3 -> method=beyond-memory",
      'log(level=info, message="\\x00\\x00\\x00")',
      "log info: \\x00\\x00\\x00",
      'get_method() = 3 -> method="GET"',
    ],
  },
  ...bufferCases(get, "buffer", LENGTH).map((each) => ({ ...each, run: RUN })),
  refusedAtStart(get),
]);
