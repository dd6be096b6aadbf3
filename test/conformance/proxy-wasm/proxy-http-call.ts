import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { out, pairs, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const HEAD = [
  [":method", "GET"],
  [":path", "/a"],
  [":authority", "auth"],
] as const;
const SHOWN_HEAD = '{:method: "GET", :path: "/a", :authority: "auth"}';

const ask = new Prototype("proxy_http_call", {
  upstream: [text("auth"), '"auth"'],
  headers: [pairs(...HEAD), SHOWN_HEAD],
  body: [text("ping"), '"ping"'],
  trailers: [pairs(["x-sum", "1"]), '{x-sum: "1"}'],
  timeout_ms: [500, "500"],
  token: [out()],
});

function denied(what: string, name: string): string {
  return (
    `log warn: Cannot call ${what} "${name}": plugin "plugin" is not granted it; add ` +
    `{ name: plugin, allow: { http_call: ["${name}"] } } to wasm.plugins (gateway.yaml)`
  );
}

const AUTH = { upstreams: ["auth"] };

export const conformance = casesOf("proxy_http_call", [
  {
    name: "proxy_http_call() numbers the calls from 1, one after the other",
    guest: { on: { proxy_on_request_headers: { calls: [ask.call(), ask.call(), ask.call()] } } },
    run: AUTH,
    lines: [ask.line("Ok -> token=1"), ask.line("Ok -> token=2"), ask.line("Ok -> token=3")],
  },
  {
    name: "proxy_http_call() works from every callback of an exchange and of the root context",
    guest: {
      on: {
        proxy_on_configure: { calls: [ask.call(), ["proxy_set_tick_period_milliseconds", 50]] },
        proxy_on_tick: { calls: [ask.call(), ["proxy_set_tick_period_milliseconds", 0]] },
        proxy_on_request_body: { calls: [ask.call()] },
        proxy_on_response_headers: { calls: [ask.call()] },
        proxy_on_log: { calls: [ask.call()] },
        proxy_on_done: { calls: [ask.call()] },
      },
    },
    run: { ...AUTH, ticks: 1, request: { method: "POST", body: ["x"] } },
    lines: Array.from({ length: 7 }, (_, at) => ask.line(`Ok -> token=${at + 1}`)),
  },
  {
    name: "proxy_http_call() takes a call without a body, trailers and a deadline",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            ask.call({ body: [0, 0], trailers: [0, 0], timeout_ms: 0 }),
            ask.call({ body: text(""), trailers: text("\0\0\0\0") }),
          ],
        },
      },
    },
    run: AUTH,
    lines: [
      ask.line("Ok -> token=1", { body: '""', trailers: "{}", timeout_ms: "0" }),
      ask.line("Ok -> token=2", { body: '""', trailers: "{}" }),
    ],
  },
  {
    name: "proxy_http_call() refuses a head without method, path or authority",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            ask.call({ headers: [0, 0] }),
            ask.call({ headers: pairs(HEAD[1], HEAD[2]) }),
            ask.call({ headers: pairs(HEAD[0], HEAD[2]) }),
            ask.call({ headers: pairs(HEAD[0], HEAD[1]) }),
          ],
        },
      },
    },
    run: AUTH,
    lines: [
      ask.line("BadArgument", { headers: "{}" }),
      ask.line("BadArgument", { headers: '{:path: "/a", :authority: "auth"}' }),
      ask.line("BadArgument", { headers: '{:method: "GET", :authority: "auth"}' }),
      ask.line("BadArgument", { headers: '{:method: "GET", :path: "/a"}' }),
    ],
  },
  {
    name: "proxy_http_call() refuses malformed headers and trailers",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            ask.call({ headers: text("\x01\0\0\0") }),
            ask.call({ trailers: text("\xff\xff\xff\xff") }),
          ],
        },
      },
    },
    run: AUTH,
    lines: [
      ask.line("BadArgument", { headers: '"\\x01\\x00\\x00\\x00"' }),
      ask.line("BadArgument", { trailers: '"\\xff\\xff\\xff\\xff"' }),
    ],
  },
  {
    name: "proxy_http_call() refuses an upstream that is unknown or not granted",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: ["nobody", "secret", "", "192.0.2.1:80", "a".repeat(2000)].map((name) =>
            ask.call({ upstream: text(name) }),
          ),
        },
      },
    },
    run: { upstreams: ["auth", "secret"], allow: { httpCall: ["auth"] } },
    shows: ["log"],
    lines: [
      ask.line("BadArgument", { upstream: '"nobody"' }),
      'log warn: Cannot call upstream "nobody": there is no such upstream',
      ask.line("BadArgument", { upstream: '"secret"' }),
      denied("upstream", "secret"),
      ask.line("BadArgument", { upstream: '""' }),
      ask.line("BadArgument", { upstream: '"192.0.2.1:80"' }),
      denied("address", "192.0.2.1:80"),
      ask.line("BadArgument", { upstream: shownLong("a", 2000) }),
    ],
  },
  {
    name: "proxy_http_call() leaves lines out that would break the head",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [ask.call({ headers: pairs(...HEAD, ["x y", "1"], ["z", "1\r\n2"]) })],
        },
      },
    },
    run: AUTH,
    shows: ["log"],
    lines: [
      ask.line("Ok -> token=1", {
        headers: SHOWN_HEAD.replace("}", ', "x y": "1", z: "1\\r\\n2"}'),
      }),
      "log warn: Some header lines of a call-out are left out: a name was no token, a value " +
        "had a control character, or a pseudo header was unknown",
    ],
  },
  {
    name: "proxy_http_call() refuses a body above 16 MiB",
    guest: {
      pages: 300,
      on: { proxy_on_request_headers: { calls: [ask.call({ body: [0, 16 * 1024 * 1024 + 1] })] } },
    },
    run: AUTH,
    lines: [ask.line("BadArgument", { body: shownLong("\\x00", 16 * 1024 * 1024 + 1) })],
  },
  {
    name: "proxy_http_call() lets a thousand calls wait, and no more",
    guest: {
      on: { proxy_on_request_headers: { calls: [{ times: 1001, call: ask.call() }] } },
    },
    run: AUTH,
    lines: [
      ...Array.from({ length: 1000 }, (_, at) => ask.line(`Ok -> token=${at + 1}`)),
      ask.line("InternalFailure"),
    ],
  },
  ask.hostileCase(AUTH),
  ...refusedOutsideOfContexts(ask.call(), ask.line("").trim()),
]);
