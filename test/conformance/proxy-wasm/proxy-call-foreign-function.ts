import { type Case, casesOf, refusedOutsideOfContexts } from "../case.ts";
import { out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";
import { compressionCases } from "./foreign/compression.ts";
import { expressionCases } from "./foreign/expressions.ts";
import { propertyCases } from "./foreign/properties.ts";
import { signatureCases } from "./foreign/signatures.ts";

const call = new Prototype("proxy_call_foreign_function", {
  name: [text("uncompress"), '"uncompress"'],
  arguments: [text("x\x9cK\x04\0\0b\0b"), '"x\\x9cK\\x04\\x00\\x00b\\x00b"'],
  ptr: [out()],
  length: [out()],
});
const MIB = 1024 * 1024;

const cases: readonly Case[] = [
  {
    name: "proxy_call_foreign_function() answers NotFound to a name that there is not",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: ["", "nobody", "uncompress\0", "u".repeat(1025)].map((name) =>
            call.call({ name: text(name) }),
          ),
        },
      },
    },
    shows: ["log"],
    lines: [
      call.line("NotFound", { name: '""' }),
      'log warn: There is no foreign function ""',
      call.line("NotFound", { name: '"nobody"' }),
      call.line("NotFound", { name: '"uncompress\\x00"' }),
      call.line("NotFound", { name: shownLong("u", 1025) }),
    ],
  },
  {
    name: "proxy_call_foreign_function() needs no out-pointers, and allocates nothing then",
    guest: {
      allocator: { answers: "trap" },
      on: {
        proxy_on_request_headers: {
          calls: [
            call.call({ ptr: 0, length: 0 }),
            call.call({ ptr: 0, length: 8192 }),
            ["proxy_log", 2, 8192, 4],
          ],
        },
      },
    },
    shows: ["log"],
    lines: [
      call.line('Ok -> results=""'),
      call.line('Ok -> results="\\x00"'),
      "log info: \\x01\\x00\\x00\\x00",
    ],
  },
  {
    name: "proxy_call_foreign_function() takes up to 1 MiB of arguments",
    guest: {
      pages: 40,
      on: {
        proxy_on_request_headers: {
          calls: [
            call.call({ name: text("clear_route_cache"), arguments: [65_536, MIB] }),
            call.call({ name: text("clear_route_cache"), arguments: [65_536, MIB + 1] }),
          ],
        },
      },
    },
    lines: [
      call.line('Ok -> results=""', {
        name: '"clear_route_cache"',
        arguments: shownLong("\\x00", MIB),
      }),
      call.line("BadArgument", {
        name: '"clear_route_cache"',
        arguments: shownLong("\\x00", MIB + 1),
      }),
    ],
  },
  call.hostileCase(),
  ...(["0", "beyond"] as const).map((answers) => ({
    name: `proxy_call_foreign_function() has no place when the allocator answers ${answers}`,
    guest: { allocator: { answers }, on: { proxy_on_request_headers: { calls: [call.call()] } } },
    lines: [call.line("InvalidMemoryAccess")],
  })),
  ...refusedOutsideOfContexts(call.call(), call.line("")),
  ...compressionCases,
  ...signatureCases,
  ...propertyCases,
  ...expressionCases,
];

export const conformance = casesOf("proxy_call_foreign_function", cases);
