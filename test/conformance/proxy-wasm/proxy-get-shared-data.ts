import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const get = new Prototype("proxy_get_shared_data", {
  key: [text("k"), '"k"'],
  ptr: [out()],
  length: [out()],
  cas: [out()],
});
const SET: Call = ["proxy_set_shared_data", text("k"), text("value"), 0];
const SET_NOTHING: Call = ["proxy_set_shared_data", text("k"), 0, 0, 0];

export const conformance = casesOf("proxy_get_shared_data", [
  {
    name: "proxy_get_shared_data() gives the value and a number that is never 0",
    guest: {
      on: {
        proxy_on_configure: { calls: [SET] },
        proxy_on_request_headers: { calls: [get.call()] },
      },
    },
    lines: ['proxy_get_shared_data(key="k") = Ok -> value="value", cas=1'],
  },
  {
    name: "proxy_get_shared_data() gives another number after each change, the same value or not",
    guest: {
      on: { proxy_on_request_headers: { calls: [SET, get.call(), SET, get.call(), get.call()] } },
    },
    lines: [
      'proxy_get_shared_data(key="k") = Ok -> value="value", cas=1',
      'proxy_get_shared_data(key="k") = Ok -> value="value", cas=2',
      'proxy_get_shared_data(key="k") = Ok -> value="value", cas=2',
    ],
  },
  {
    name: "proxy_get_shared_data() gives an empty value without asking the allocator",
    guest: {
      allocator: { answers: "trap" },
      on: { proxy_on_request_headers: { calls: [SET_NOTHING, get.call()] } },
    },
    lines: ['proxy_get_shared_data(key="k") = Ok -> value="", cas=1'],
  },
  {
    name: "proxy_get_shared_data() knows an empty key, and one of bytes that are no text",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: ["", "\0\xff\x80"].flatMap((key): Call[] => [
            get.call({ key: text(key) }),
            ["proxy_set_shared_data", text(key), text("value"), 0],
            get.call({ key: text(key) }),
          ]),
        },
      },
    },
    lines: [
      'proxy_get_shared_data(key="") = NotFound',
      'proxy_get_shared_data(key="") = Ok -> value="value", cas=1',
      'proxy_get_shared_data(key="\\x00\\xff\\x80") = NotFound',
      'proxy_get_shared_data(key="\\x00\\xff\\x80") = Ok -> value="value", cas=2',
    ],
  },
  {
    name: "proxy_get_shared_data() does not find what nobody has set",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            get.call(),
            SET,
            ...["K", "k\0", "kk", "k".repeat(1025)].map((key) => get.call({ key: text(key) })),
          ],
        },
      },
    },
    lines: [
      get.line("NotFound"),
      get.line("NotFound", { key: '"K"' }),
      get.line("NotFound", { key: '"k\\x00"' }),
      get.line("NotFound", { key: '"kk"' }),
      get.line("NotFound", { key: shownLong("k", 1025) }),
    ],
  },
  {
    ...get.hostileCase(),
    guest: { on: { proxy_on_request_headers: { calls: [SET, ...get.hostile().calls] } } },
  },
  ...(["0", "beyond"] as const).map((answers) => ({
    name: `proxy_get_shared_data() has no place when the allocator answers ${answers}`,
    guest: {
      allocator: { answers },
      on: { proxy_on_request_headers: { calls: [SET, get.call()] } },
    },
    lines: [get.line("InvalidMemoryAccess")],
  })),
  ...refusedOutsideOfContexts(get.call(), get.line("")),
]);
