import { casesOf } from "../case.ts";
import { end, iovecs, MAX, out, type Piece } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";
import { underBothNames } from "../wasi-names.ts";

/** bytes; of a probe's memory. */
const PAGE = 65_536;

export const conformance = casesOf(
  "fd_write",
  underBothNames((module) => {
    const write = new Prototype(
      `${module}:fd_write`,
      { fd: [1, "1"], iovecs: [iovecs("hello\n"), '"hello\\n"'], written: [out()] },
      "fault",
    );
    const outside: readonly Piece[] = [
      [MAX, 0],
      [PAGE, 1],
      [PAGE - 1, 2],
      [0, MAX],
      [MAX, 1],
      [MAX, MAX],
      [0x8000_0000, 0x8000_0000],
    ];
    return [
      {
        name: "fd_write() makes lines of the log: 1 is info, 2 is error",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                write.call(),
                write.call({ fd: 2 }),
                write.call({ iovecs: iovecs("a\nb", "c", "", "\n\nd") }),
              ],
            },
          },
        },
        shows: ["log"],
        lines: [
          'fd_write(fd=1, iovecs="hello\\n") = success -> written=6',
          "log info: hello",
          'fd_write(fd=2, iovecs="hello\\n") = success -> written=6',
          "log error: hello",
          'fd_write(fd=1, iovecs="a\\nbc\\n\\nd") = success -> written=7',
          "log info: a",
          "log info: bc",
          "log info: d",
        ],
      },
      {
        name: "fd_write() gathers pieces of a line, each descriptor for itself",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                write.call({ iovecs: iovecs("one ") }),
                write.call({ fd: 2, iovecs: iovecs("other ") }),
                write.call({ iovecs: iovecs("line\n") }),
                write.call({ fd: 2, iovecs: iovecs("line\n") }),
              ],
            },
          },
        },
        shows: ["log"],
        lines: [
          'fd_write(fd=1, iovecs="one ") = success -> written=4',
          'fd_write(fd=2, iovecs="other ") = success -> written=6',
          'fd_write(fd=1, iovecs="line\\n") = success -> written=5',
          "log info: one line",
          'fd_write(fd=2, iovecs="line\\n") = success -> written=5',
          "log error: other line",
        ],
      },
      {
        name: "fd_write() writes also while a module is initialized, and for its allocator",
        guest: {
          startSection: { calls: [write.call()] },
          allocator: { calls: [write.call({ iovecs: iovecs("malloc\n") })] },
          on: {
            _initialize: { calls: [write.call()] },
            proxy_on_request_headers: { calls: [["proxy_get_header_map_pairs", 0, out(), out()]] },
          },
        },
        shows: ["log"],
        lines: [
          'fd_write(fd=1, iovecs="hello\\n") = success -> written=6',
          "log info: hello",
          'fd_write(fd=1, iovecs="hello\\n") = success -> written=6',
          "log info: hello",
          'fd_write(fd=1, iovecs="malloc\\n") = success -> written=7',
          "log info: malloc",
        ],
      },
      {
        name: "fd_write() counts no bytes of nothing, and bytes that are no text",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                write.call({ iovecs: iovecs() }),
                write.call({ iovecs: iovecs("", "") }),
                write.call({ iovecs: iovecs([PAGE, 0], [0, 0]) }),
                write.call({ iovecs: iovecs("\xff\0\n") }),
              ],
            },
          },
        },
        shows: ["log"],
        lines: [
          'fd_write(fd=1, iovecs="") = success -> written=0',
          'fd_write(fd=1, iovecs="") = success -> written=0',
          'fd_write(fd=1, iovecs="") = success -> written=0',
          'fd_write(fd=1, iovecs="\\xff\\x00\\n") = success -> written=3',
          "log info: �\\x00",
        ],
      },
      {
        name: "fd_write() knows two descriptors",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [0, 3, 0x7fff_ffff, MAX].map((fd) => write.call({ fd })),
            },
          },
        },
        lines: [0, 3, 0x7fff_ffff, MAX].map((fd) =>
          write.line("badDescriptor", { fd: String(fd) }),
        ),
      },
      {
        name: "fd_write() takes a thousand pieces, and no more",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [1024, 1025, 0x2000_0000, MAX].map((count) =>
                write.call({ iovecs: [16_384, count] }),
              ),
            },
          },
        },
        lines: [
          'fd_write(fd=1, iovecs="") = success -> written=0',
          'fd_write(fd=1, iovecs="") = invalid',
          'fd_write(fd=1, iovecs="") = invalid',
          'fd_write(fd=1, iovecs="") = invalid',
        ],
      },
      {
        name: "fd_write() writes 8 KiB of a call, and counts the rest as written",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [write.call({ iovecs: iovecs("x".repeat(8192), "y\n", "z\n") })],
            },
          },
        },
        shows: ["log"],
        lines: [
          write.line("success -> written=8196", { iovecs: shownLong("x", 8196) }),
          `log info: ${"x".repeat(8192)}`,
        ],
      },
      {
        name: "fd_write() prints nothing when one of the pieces is not within memory",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: outside.map((piece) => write.call({ iovecs: iovecs("no\n", piece) })),
            },
          },
        },
        shows: ["log"],
        lines: outside.map(() => write.line("fault", { iovecs: "beyond-memory" })),
      },
      {
        name: "fd_write() answers fault when the table of pieces is not within memory",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                [end(), 1],
                [end(7), 1],
                [end(8), 2],
                [MAX, 1],
                [MAX - 7, 1024],
                [0x8000_0000, 16],
              ].map((table) => write.call({ iovecs: table })),
            },
          },
        },
        lines: Array<string>(6).fill(write.line("fault", { iovecs: "beyond-memory" })),
      },
      write.hostileCase(),
    ];
  }),
);
