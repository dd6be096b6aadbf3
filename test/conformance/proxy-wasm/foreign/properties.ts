import type { Case } from "../../case.ts";
import { type Call, out, text } from "../../probe.ts";
import { asking, message, ok } from "./asking.ts";

const set = (path: string, value: string): Call => ["proxy_set_property", text(path), text(value)];
const get = (path: string): Call => ["proxy_get_property", text(path), out(), out()];
const STRING = 1;

const readOnly = asking("declare_property", message({ 1: "own", 2: 1, 3: STRING }));
const free = asking("declare_property", message({ 1: "free" }));
const malformed = asking("declare_property", "\x0a\xff");
const state = asking("set_envoy_filter_state", message({ 1: "envoy.string", 2: "v", 3: 1 }));
const acting = asking("set_envoy_filter_state", message({ 1: "envoy.tcp_proxy.cluster", 2: "v" }));
const noMessage = asking("set_envoy_filter_state", "\xff");
const tooLarge = asking(
  "set_envoy_filter_state",
  message({ 1: "envoy.string", 2: "v".repeat(65_536) }),
);
const clear = asking("clear_route_cache");

export const propertyCases: readonly Case[] = [
  {
    name: "declare_property has a property keep its first value, in every exchange",
    guest: {
      on: {
        proxy_on_configure: { calls: [readOnly.call, free.call] },
        proxy_on_request_headers: {
          calls: [set("own", "1"), set("own", "2"), get("own"), set("free", "1"), set("free", "2")],
        },
      },
    },
    shows: ["proxy_set_property", "proxy_get_property"],
    lines: [
      readOnly.line(ok("")),
      free.line(ok("")),
      'proxy_set_property(path="own", value="1") = Ok',
      'proxy_set_property(path="own", value="2") = BadArgument',
      'proxy_get_property(path="own") = Ok -> value="1"',
      'proxy_set_property(path="free", value="1") = Ok',
      'proxy_set_property(path="free", value="2") = Ok',
    ],
  },
  {
    name: "declare_property answers BadArgument to what is declared already, or is no message",
    guest: {
      on: { proxy_on_configure: { calls: [readOnly.call, readOnly.call, malformed.call] } },
    },
    lines: [readOnly.line(ok("")), readOnly.line("BadArgument"), malformed.line("BadArgument")],
  },
  {
    name: "declare_property declares 256 properties, and no more",
    guest: {
      on: {
        proxy_on_configure: {
          calls: Array.from({ length: 257 }, (_, at) => property(at).call),
        },
      },
    },
    lines: Array.from({ length: 257 }, (_, at) =>
      property(at).line(at < 256 ? ok("") : "BadArgument"),
    ),
  },
  {
    name: "set_envoy_filter_state sets what is read as a property",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [state.call, get("filter_state\0envoy.string")] },
      },
    },
    shows: ["proxy_get_property"],
    lines: [
      state.line(ok("")),
      'proxy_get_property(path="filter_state\\x00envoy.string") = Ok -> value="v"',
    ],
  },
  {
    name: "set_envoy_filter_state answers NotFound to keys that act in Envoy, and without exchange",
    guest: {
      on: {
        proxy_on_configure: { calls: [state.call] },
        proxy_on_request_headers: { calls: [acting.call] },
      },
    },
    shows: ["log"],
    lines: [
      state.line("NotFound"),
      acting.line("NotFound"),
      'log warn: There is no filter state "envoy.tcp_proxy.cluster" here',
    ],
  },
  {
    name: "set_envoy_filter_state answers BadArgument to what is no message, and to too much",
    guest: {
      pages: 4,
      on: { proxy_on_request_headers: { calls: [noMessage.call, tooLarge.call] } },
    },
    lines: [noMessage.line("BadArgument"), tooLarge.line("BadArgument")],
  },
  {
    name: "clear_route_cache is Ok in an exchange, and where there is none",
    guest: {
      on: {
        proxy_on_configure: { calls: [clear.call] },
        proxy_on_request_headers: { calls: [clear.call] },
        proxy_on_response_headers: { calls: [clear.call] },
        proxy_on_log: { calls: [clear.call] },
      },
    },
    shows: ["client"],
    run: { upstream: { status: 204 } },
    lines: [
      'proxy_call_foreign_function(name="clear_route_cache", arguments="") = Ok -> results=""',
      'proxy_call_foreign_function(name="clear_route_cache", arguments="") = Ok -> results=""',
      'proxy_call_foreign_function(name="clear_route_cache", arguments="") = Ok -> results=""',
      'proxy_call_foreign_function(name="clear_route_cache", arguments="") = Ok -> results=""',
      "=> client head 204 {}",
      "=> client end",
    ],
  },
];

function property(at: number) {
  return asking("declare_property", message({ 1: `p${at}` }));
}
