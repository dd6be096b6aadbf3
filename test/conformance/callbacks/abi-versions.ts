import { type Case, casesOf } from "../case.ts";
import { every, WITH_BODIES } from "../every-callback.ts";
import { onRequest, out, text } from "../probe.ts";

const HEADERS = ["proxy_on_request_headers", "proxy_on_response_headers"];
const TOLD = [
  "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
  "< proxy_on_request_headers = Continue",
  "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
  "< proxy_on_response_headers = Continue",
];

/** Markers and signatures do not always agree, so each goes with each. */
const signatures = ["0.1.0", "0.2.0", "0.2.1"].flatMap((abi) =>
  [2, 3].map((count): Case => ({
    name: `${abi} may have ${count} parameters of the callbacks for headers`,
    guest: {
      abi,
      on: every(),
      arity: Object.fromEntries(HEADERS.map((name) => [name, count])),
    },
    run: WITH_BODIES,
    shows: HEADERS,
    lines: TOLD,
  })),
);

const KEY = text("x-none");

/** Functions of one version are there for every version. */
const functions = ["0.1.0", "0.2.0", "0.2.1"].map((abi): Case => ({
  name: `${abi} may call the functions of all versions`,
  guest: {
    abi,
    ...onRequest(
      ["proxy_get_configuration", out(), out()],
      ["proxy_continue_request"],
      ["proxy_clear_route_cache"],
      ["proxy_continue_stream", 0],
      ["proxy_get_log_level", out()],
      ["proxy_get_buffer_bytes", 7, 0, 1, out(), out()],
      ["proxy_get_header_map_value", 0, KEY, out(), out()],
    ),
  },
  run: { config: "c", vmConfig: "v" },
  shows: [
    "proxy_get_configuration",
    "proxy_continue_request",
    "proxy_clear_route_cache",
    "proxy_continue_stream",
    "proxy_get_log_level",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_value",
  ],
  lines: [
    'proxy_get_configuration() = Ok -> configuration="v"',
    "proxy_continue_request() = Ok",
    "proxy_clear_route_cache() = Ok",
    "proxy_continue_stream(stream=Request) = Ok",
    "proxy_get_log_level() = Ok -> level=trace",
    'proxy_get_buffer_bytes(buffer=PluginConfiguration, start=0, length=1) = Ok -> bytes="c"',
    'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-none") = ' +
      (abi === "0.1.0" ? 'Ok -> value=""' : "NotFound"),
  ],
}));

export const conformance = casesOf("versions of the ABI", [
  ...signatures,
  ...functions,
  {
    name: "without a marker a module is refused with the reason",
    guest: { abi: "none", on: every() },
    lines: [
      "refused: the module has no ABI marker, no export proxy_abi_version_…; known are 0.1.0, " +
        "0.2.0 and 0.2.1; it exports proxy_on_context_create, so it may be made for a Proxy-Wasm " +
        "ABI older than 0.1.0",
    ],
  },
  {
    name: "before 0.1.0 a module is refused with the reason",
    guest: { abi: "0.0.1", on: every() },
    lines: [
      "refused: the module exports proxy_abi_version_0_0_1, an ABI that is not known; " +
        "known are 0.1.0, 0.2.0 and 0.2.1",
    ],
  },
  {
    name: "after 0.2.1 a module is refused with the reason",
    guest: { abi: "0.3.0", on: every() },
    lines: [
      "refused: the module exports proxy_abi_version_0_3_0, an ABI that is not known; " +
        "known are 0.1.0, 0.2.0 and 0.2.1",
    ],
  },
]);
