import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_set_property";
const GET = "proxy_get_property";
const set = (path: string, value: string): Call => [NAME, text(path), text(value)];
const get = (path: string): Call => [GET, text(path), out(), out()];

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() keeps any bytes under any path until the exchange has ended`,
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            set("mine", "1"),
            set("mine", "\0\xff"),
            set("a\0b", "2"),
            set("", ""),
            get("mine"),
            get("a\0b"),
            get("a"),
          ],
        },
        proxy_on_log: { calls: [get("mine"), get("a\0b\0"), get("wasm.mine")] },
      },
    },
    shows: [GET],
    lines: [
      'proxy_set_property(path="mine", value="1") = Ok',
      'proxy_set_property(path="mine", value="\\x00\\xff") = Ok',
      'proxy_set_property(path="a\\x00b", value="2") = Ok',
      'proxy_set_property(path="", value="") = Ok',
      'proxy_get_property(path="mine") = Ok -> value="\\x00\\xff"',
      'proxy_get_property(path="a\\x00b") = Ok -> value="2"',
      'proxy_get_property(path="a") = NotFound',
      'proxy_get_property(path="mine") = Ok -> value="\\x00\\xff"',
      'proxy_get_property(path="a\\x00b\\x00") = Ok -> value="2"',
      'proxy_get_property(path="wasm.mine") = NotFound',
    ],
  },
  {
    name: `${NAME}() does not change what the gateway tells`,
    guest: onRequest(
      ...["plugin_name", "request\0method", "gateway\0worker", "node\0id"].flatMap((path) => [
        set(path, "forged"),
        get(path),
      ]),
    ),
    run: { allow: { properties: ["gateway.*", "node.id"] } },
    shows: [GET],
    lines: [
      'proxy_set_property(path="plugin_name", value="forged") = Ok',
      'proxy_get_property(path="plugin_name") = Ok -> value="plugin"',
      'proxy_set_property(path="request\\x00method", value="forged") = Ok',
      'proxy_get_property(path="request\\x00method") = Ok -> value="GET"',
      'proxy_set_property(path="gateway\\x00worker", value="forged") = Ok',
      'proxy_get_property(path="gateway\\x00worker") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_set_property(path="node\\x00id", value="forged") = Ok',
      'proxy_get_property(path="node\\x00id") = Ok -> value="plugin-run"',
    ],
  },
  {
    name: `${NAME}() is Ok and does nothing outside of exchanges, and warns once`,
    guest: {
      on: {
        proxy_on_configure: { calls: [set("mine", "1"), set("mine", "1"), get("mine")] },
        proxy_on_request_headers: { calls: [get("mine")] },
      },
    },
    shows: [GET, "log"],
    lines: [
      'proxy_set_property(path="mine", value="1") = Ok',
      "log warn: proxy_set_property has no effect outside the context of an exchange",
      'proxy_set_property(path="mine", value="1") = Ok',
      'proxy_get_property(path="mine") = NotFound',
      'proxy_get_property(path="mine") = NotFound',
    ],
  },
  {
    name: `${NAME}() refuses paths of more than 1 KiB`,
    guest: onRequest(set("a".repeat(1024), "1"), set("a".repeat(1025), "1")),
    lines: [
      `${NAME}(path="${"a".repeat(256)}"… (1024 bytes), value="1") = Ok`,
      `${NAME}(path="${"a".repeat(256)}"… (1025 bytes), value="1") = BadArgument`,
    ],
  },
  {
    name: `${NAME}() refuses what is more than 64 KiB in one exchange`,
    guest: {
      pages: 4,
      ...onRequest(set("a", "b".repeat(65_535)), set("a", ""), set("", "")),
    },
    lines: [
      `${NAME}(path="a", value="${"b".repeat(256)}"… (65535 bytes)) = Ok`,
      `${NAME}(path="a", value="") = BadArgument`,
      `${NAME}(path="", value="") = Ok`,
    ],
  },
  {
    name: `${NAME}() refuses paths and values that are not within memory`,
    guest: onRequest(
      [NAME, end(), 1, text("v")],
      [NAME, 0, MAX, text("v")],
      [NAME, MAX, 1, text("v")],
      [NAME, text("k"), end(1), 2],
      [NAME, text("k"), 0, MAX],
      [NAME, text("k"), MAX, 1],
      [NAME, text("k"), 0x8000_0000, 0x8000_0000],
      get("k"),
    ),
    shows: [GET],
    lines: [
      'proxy_set_property(path=beyond-memory, value="v") = InvalidMemoryAccess',
      'proxy_set_property(path=beyond-memory, value="v") = InvalidMemoryAccess',
      'proxy_set_property(path=beyond-memory, value="v") = InvalidMemoryAccess',
      'proxy_set_property(path="k", value=beyond-memory) = InvalidMemoryAccess',
      'proxy_set_property(path="k", value=beyond-memory) = InvalidMemoryAccess',
      'proxy_set_property(path="k", value=beyond-memory) = InvalidMemoryAccess',
      'proxy_set_property(path="k", value=beyond-memory) = InvalidMemoryAccess',
      'proxy_get_property(path="k") = NotFound',
    ],
  },
  ...refusedOutsideOfContexts(set("a", "1"), `${NAME}(path="a", value="1")`),
]);
