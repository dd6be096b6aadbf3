import { casesOf } from "../case.ts";
import { handling, initializing, PAGE } from "../handlers.ts";
import { type Call, MAX, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const log = new Prototype("log", { level: [0, "info"], message: [text("hello"), '"hello"'] });
const OUTSIDE: readonly (readonly [number, number])[] = [
  [PAGE, 1],
  [PAGE - 1, 2],
  [0, MAX],
  [MAX, 1],
  [MAX, MAX],
  [0x8000_0000, 0x8000_0000],
];

export const conformance = casesOf("log", [
  {
    name: "log() writes lines of four levels, and none of level none",
    guest: handling([-1, 0, 1, 2, 3].map((level): Call => log.call({ level }))),
    shows: ["log"],
    lines: [
      'log(level=debug, message="hello")',
      "log debug: hello",
      'log(level=info, message="hello")',
      "log info: hello",
      'log(level=warn, message="hello")',
      "log warn: hello",
      'log(level=error, message="hello")',
      "log error: hello",
      'log(level=none, message="hello")',
    ],
  },
  {
    name: "log() writes nothing of a level that there is not",
    guest: handling([4, -2, 0x7fff_ffff, 0x8000_0000].map((level) => log.call({ level }))),
    shows: ["log"],
    lines: [
      'log(level=4, message="hello")',
      'log(level=-2, message="hello")',
      'log(level=2147483647, message="hello")',
      'log(level=-2147483648, message="hello")',
    ],
  },
  {
    name: "log() writes while a guest is started",
    guest: initializing([log.call()]),
    shows: ["log"],
    lines: [log.line(""), "log info: hello", log.line(""), "log info: hello"],
  },
  {
    name: "log() cuts a line at 8 KiB, and takes bytes that are no text",
    guest: handling([
      log.call({ message: text("x".repeat(8193)) }),
      log.call({ message: text("") }),
      log.call({ message: text("\xff\0") }),
    ]),
    shows: ["log"],
    lines: [
      log.line("", { message: shownLong("x", 8193) }),
      `log info: ${"x".repeat(8192)}…`,
      'log(level=info, message="")',
      "log info: ",
      'log(level=info, message="\\xff\\x00")',
      "log info: �\\x00",
    ],
  },
  {
    name: "log() leaves lines out that are not within memory, and goes on",
    guest: handling([
      ...OUTSIDE.map((message) => log.call({ message })),
      log.call({ message: [PAGE - 1, 1] }),
    ]),
    shows: ["log"],
    lines: [
      "log(level=info, message=beyond-memory)",
      "log warn: a log line is left out: it lies outside of the memory",
      "log(level=info, message=beyond-memory)",
      "log(level=info, message=beyond-memory)",
      "log(level=info, message=beyond-memory)",
      "log(level=info, message=beyond-memory)",
      "log(level=info, message=beyond-memory)",
      'log(level=info, message="\\x00")',
      "log info: \\x00",
    ],
  },
]);
