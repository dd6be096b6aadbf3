import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { out, pairs, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const open = new Prototype("proxy_grpc_stream", {
  upstream: [text("auth"), '"auth"'],
  service: [text("pkg.Service"), '"pkg.Service"'],
  method: [text("Watch"), '"Watch"'],
  metadata: [pairs(["x-id", "7"]), '{x-id: "7"}'],
  token: [out()],
});

const AUTH = { upstreams: ["auth"] };

export const conformance = casesOf("proxy_grpc_stream", [
  {
    name: "proxy_grpc_stream() gives streams even numbers",
    guest: { on: { proxy_on_request_headers: { calls: [open.call(), open.call(), open.call()] } } },
    run: AUTH,
    lines: [open.line("Ok -> token=2"), open.line("Ok -> token=4"), open.line("Ok -> token=6")],
  },
  {
    name: "proxy_grpc_stream() reads the upstream from Envoy's message, and takes no metadata",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            open.call({ upstream: text("\x0a\x06\x0a\x04auth") }),
            open.call({ metadata: [0, 0] }),
          ],
        },
      },
    },
    run: AUTH,
    lines: [
      open.line("Ok -> token=2", { upstream: '"\\n\\x06\\n\\x04auth"' }),
      open.line("Ok -> token=4", { metadata: "{}" }),
    ],
  },
  {
    name: "proxy_grpc_stream() answers ParseFailure to what is malformed, unknown or not granted",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            open.call({ upstream: text("nobody") }),
            open.call({ upstream: text("secret") }),
            open.call({ service: text("") }),
            open.call({ method: text("a b") }),
            open.call({ metadata: text("\xff\xff\xff\xff") }),
            open.call({ service: text("s".repeat(1025)) }),
          ],
        },
      },
    },
    run: { upstreams: ["auth", "secret"], allow: { httpCall: ["auth"] } },
    lines: [
      open.line("ParseFailure", { upstream: '"nobody"' }),
      open.line("ParseFailure", { upstream: '"secret"' }),
      open.line("ParseFailure", { service: '""' }),
      open.line("ParseFailure", { method: '"a b"' }),
      open.line("ParseFailure", { metadata: '"\\xff\\xff\\xff\\xff"' }),
      open.line("ParseFailure", { service: shownLong("s", 1025) }),
    ],
  },
  {
    name: "proxy_grpc_stream() lets a thousand streams be open, and no more until one is cancelled",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [{ times: 1001, call: open.call() }, ["proxy_grpc_cancel", 2], open.call()],
        },
      },
    },
    run: AUTH,
    lines: [
      ...Array.from({ length: 1000 }, (_, at) => open.line(`Ok -> token=${2 * at + 2}`)),
      open.line("InternalFailure"),
      open.line("Ok -> token=2002"),
    ],
  },
  open.hostileCase(AUTH),
  ...refusedOutsideOfContexts(open.call(), open.line("")),
]);
