import { casesOf } from "../case.ts";
import { end, MAX, text } from "../probe.ts";

export const conformance = casesOf("proxy_log", [
  {
    name: "proxy_log() writes a line of each of the six levels",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [0, 1, 2, 3, 4, 5].map((level) => ["proxy_log", level, text("hello")]),
        },
      },
    },
    shows: ["log"],
    lines: [
      'proxy_log(level=trace, message="hello") = Ok',
      "log trace: hello",
      'proxy_log(level=debug, message="hello") = Ok',
      "log debug: hello",
      'proxy_log(level=info, message="hello") = Ok',
      "log info: hello",
      'proxy_log(level=warn, message="hello") = Ok',
      "log warn: hello",
      'proxy_log(level=error, message="hello") = Ok',
      "log error: hello",
      'proxy_log(level=critical, message="hello") = Ok',
      "log critical: hello",
    ],
  },
  {
    name: "proxy_log() knows no other level",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [6, -1, MAX, 0x7fff_ffff].map((level) => ["proxy_log", level, text("hello")]),
        },
      },
    },
    shows: ["log"],
    lines: [
      'proxy_log(level=6, message="hello") = BadArgument',
      'proxy_log(level=-1, message="hello") = BadArgument',
      'proxy_log(level=-1, message="hello") = BadArgument',
      'proxy_log(level=2147483647, message="hello") = BadArgument',
    ],
  },
  {
    name: "proxy_log() works while a module is initialized, and for its allocator",
    guest: {
      startSection: { calls: [["proxy_log", 2, text("start")]] },
      allocator: { calls: [["proxy_log", 2, text("malloc")]] },
      on: {
        _initialize: { calls: [["proxy_log", 2, text("_initialize")]] },
        main: { calls: [["proxy_log", 2, text("main")]] },
        proxy_on_request_headers: {
          calls: [["proxy_get_property", text("plugin_name"), 8, 16]],
        },
      },
    },
    lines: [
      'proxy_log(level=info, message="start") = Ok',
      'proxy_log(level=info, message="_initialize") = Ok',
      'proxy_log(level=info, message="main") = Ok',
      'proxy_log(level=info, message="malloc") = Ok',
    ],
  },
  {
    name: "proxy_log() refuses texts that are not within memory",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            ["proxy_log", 2, end(), 1],
            ["proxy_log", 2, end(1), 2],
            ["proxy_log", 2, 0, MAX],
            ["proxy_log", 2, MAX, 1],
            ["proxy_log", 2, MAX, MAX],
            ["proxy_log", 2, 0x8000_0000, 0x8000_0000],
          ],
        },
      },
    },
    shows: ["log"],
    lines: [
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
    ],
  },
  {
    name: "proxy_log() takes all of memory to its end, and bytes that are no text",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            ["proxy_log", 2, end(1), 1],
            ["proxy_log", 2, end(), 0],
            ["proxy_log", 2, text("a\nb\xff")],
          ],
        },
      },
    },
    shows: ["log"],
    lines: [
      'proxy_log(level=info, message="\\x00") = Ok',
      "log info: \\x00",
      'proxy_log(level=info, message="") = Ok',
      "log info: ",
      'proxy_log(level=info, message="a\\nb\\xff") = Ok',
      "log info: a\\nb�",
    ],
  },
]);
