import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, loaded, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const set = new Prototype("proxy_set_shared_data", {
  key: [text("k"), '"k"'],
  value: [text("v"), '"v"'],
  cas: [0, "0"],
});
const GET: Call = ["proxy_get_shared_data", text("k"), out(), out(), out("cas")];
const MIB = 1024 * 1024;

export const conformance = casesOf("proxy_set_shared_data", [
  {
    name: "proxy_set_shared_data() sets whatever is there when it is given no number",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [set.call(), set.call({ value: text("w") }), set.call({ value: [0, 0] }), GET],
        },
      },
    },
    shows: ["proxy_get_shared_data"],
    lines: [
      'proxy_set_shared_data(key="k", value="v", cas=0) = Ok',
      'proxy_set_shared_data(key="k", value="w", cas=0) = Ok',
      'proxy_set_shared_data(key="k", value="", cas=0) = Ok',
      'proxy_get_shared_data(key="k") = Ok -> value="", cas=3',
    ],
  },
  {
    name: "proxy_set_shared_data() sets a value that nobody has set since, and no other",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            set.call(),
            GET,
            set.call({ value: text("w"), cas: loaded("cas") }),
            set.call({ value: text("x"), cas: loaded("cas") }),
            GET,
            set.call({ value: text("y"), cas: loaded("cas") }),
            GET,
          ],
        },
      },
    },
    shows: ["proxy_get_shared_data"],
    lines: [
      'proxy_set_shared_data(key="k", value="v", cas=0) = Ok',
      'proxy_get_shared_data(key="k") = Ok -> value="v", cas=1',
      'proxy_set_shared_data(key="k", value="w", cas=1) = Ok',
      'proxy_set_shared_data(key="k", value="x", cas=1) = CasMismatch',
      'proxy_get_shared_data(key="k") = Ok -> value="w", cas=2',
      'proxy_set_shared_data(key="k", value="y", cas=2) = Ok',
      'proxy_get_shared_data(key="k") = Ok -> value="y", cas=3',
    ],
  },
  {
    name: "proxy_set_shared_data() takes any number for a key that nobody has set",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [set.call({ cas: 0xffff_ffff }), set.call({ cas: 0xffff_ffff }), GET],
        },
      },
    },
    shows: ["proxy_get_shared_data"],
    lines: [
      'proxy_set_shared_data(key="k", value="v", cas=4294967295) = Ok',
      'proxy_set_shared_data(key="k", value="v", cas=4294967295) = CasMismatch',
      'proxy_get_shared_data(key="k") = Ok -> value="v", cas=1',
    ],
  },
  {
    name: "proxy_set_shared_data() outlives the exchange and its guest",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [set.call()] },
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 50]] },
        proxy_on_tick: { calls: [GET] },
      },
    },
    run: { instances: "per_request", ticksAfter: 1 },
    shows: ["proxy_get_shared_data"],
    lines: [
      'proxy_set_shared_data(key="k", value="v", cas=0) = Ok',
      'proxy_get_shared_data(key="k") = Ok -> value="v", cas=1',
    ],
  },
  {
    name: "proxy_set_shared_data() refuses a key above 128 KiB, and a value above 16 MiB",
    guest: {
      pages: 300,
      on: {
        proxy_on_request_headers: {
          calls: [
            set.call({ key: [65_536, 128 * 1024] }),
            set.call({ key: [65_536, 128 * 1024 + 1] }),
            set.call({ value: [65_536, 16 * MIB + 1] }),
          ],
        },
      },
    },
    lines: [
      set.line("Ok", { key: shownLong("\\x00", 128 * 1024) }),
      set.line("BadArgument", { key: shownLong("\\x00", 128 * 1024 + 1) }),
      set.line("BadArgument", { value: shownLong("\\x00", 16 * MIB + 1) }),
    ],
  },
  {
    name: "proxy_set_shared_data() answers InternalFailure when full, and keeps the value",
    guest: {
      pages: 300,
      on: {
        proxy_on_request_headers: {
          calls: [set.call(), set.call({ value: [65_536, 16 * MIB] }), GET],
        },
      },
    },
    shows: ["proxy_get_shared_data", "log"],
    lines: [
      'proxy_set_shared_data(key="k", value="v", cas=0) = Ok',
      set.line("InternalFailure", { value: shownLong("\\x00", 16 * MIB) }),
      "log warn: Cannot share the value: it would be 1 keys and 16777217 bytes, at most 10000 " +
        "and 16777216; use fewer or shorter keys and values, or another namespace " +
        "[SHARED_DATA_FULL]",
      'proxy_get_shared_data(key="k") = Ok -> value="v", cas=1',
    ],
  },
  set.hostileCase(),
  ...refusedOutsideOfContexts(set.call(), set.line("")),
]);
