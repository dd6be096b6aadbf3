import { casesOf } from "../case.ts";
import { BUF, bufferCases, initializing } from "../handlers.ts";
import { type Call, MAX, out } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const get = new Prototype("get_config", { buffer: [[BUF, 64]] });
const CONFIG = { config: '{"a":1}' };
const LOG: Call = ["log", 0, BUF, 8];

export const conformance = casesOf("get_config", [
  {
    name: "get_config() gives the configuration at the start, and to every exchange",
    guest: initializing([get.call()], [get.call(), LOG]),
    run: CONFIG,
    shows: ["log"],
    lines: [
      'get_config() = 7 -> configuration="{\\"a\\":1}"',
      'get_config() = 7 -> configuration="{\\"a\\":1}"',
      'get_config() = 7 -> configuration="{\\"a\\":1}"',
      'log(level=info, message="{\\"a\\":1}\\x00")',
      'log info: {"a":1}\\x00',
    ],
  },
  {
    name: "get_config() writes nothing when the buffer is too small, wherever it is",
    guest: initializing([
      get.call({ buffer: [BUF, 6] }),
      get.call({ buffer: [BUF, 0] }),
      get.call({ buffer: [MAX, 0] }),
      LOG,
      get.call({ buffer: [BUF, 7] }),
    ]),
    run: CONFIG,
    shows: ["log"],
    lines: [
      'get_config() = 7 -> configuration=""',
      'get_config() = 7 -> configuration=""',
      "get_config() = 7 -> configuration=beyond-memory",
      'log(level=info, message="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00")',
      "log info: \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
      'get_config() = 7 -> configuration="{\\"a\\":1}"',
      'get_config() = 7 -> configuration=""',
      'get_config() = 7 -> configuration=""',
      "get_config() = 7 -> configuration=beyond-memory",
      'log(level=info, message="{\\"a\\":1}\\x00")',
      'log info: {"a":1}\\x00',
      'get_config() = 7 -> configuration="{\\"a\\":1}"',
    ],
  },
  {
    name: "get_config() gives no bytes when there is no configuration, wherever the buffer is",
    guest: initializing([get.call({ buffer: [MAX, MAX] }), get.call({ buffer: [out(), 8] })]),
    lines: [
      "get_config() = 0 -> configuration=beyond-memory",
      'get_config() = 0 -> configuration=""',
      "get_config() = 0 -> configuration=beyond-memory",
      'get_config() = 0 -> configuration=""',
    ],
  },
  ...bufferCases(get, "buffer", 7).map((each) => ({ ...each, run: CONFIG })),
]);
