import { type Case, casesOf, refusedOutsideOfContexts } from "../case.ts";
import { out, pairs, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const call = new Prototype("proxy_grpc_call", {
  upstream: [text("auth"), '"auth"'],
  service: [text("pkg.Service"), '"pkg.Service"'],
  method: [text("Check"), '"Check"'],
  metadata: [pairs(["x-id", "7"]), '{x-id: "7"}'],
  message: [text("ping"), '"ping"'],
  timeout_ms: [500, "500"],
  token: [out()],
});

const AUTH = { upstreams: ["auth"] };
const MIB = 1024 * 1024;

/** Each call is refused as malformed; the log says so once. */
function refusals(
  changes: readonly (readonly [Parameters<typeof call.call>[0], Record<string, string>])[],
) {
  return {
    calls: changes.map(([args]) => call.call(args)),
    lines: changes.map(([, shown]) => call.line("ParseFailure", shown)),
  };
}

const malformed = refusals([
  [{ service: text("") }, { service: '""' }],
  [{ method: text("") }, { method: '""' }],
  [{ service: text("a b") }, { service: '"a b"' }],
  [{ method: text("a\0") }, { method: '"a\\x00"' }],
  [{ metadata: text("\x01\0\0\0") }, { metadata: '"\\x01\\x00\\x00\\x00"' }],
  [{ upstream: text("\x0a\x00") }, { upstream: '"\\n\\x00"' }],
  [{ upstream: text("\x0a\xff\xff\xff\xff\x0f") }, { upstream: '"\\n\\xff\\xff\\xff\\xff\\x0f"' }],
]);

const tooLong = refusals([
  [{ upstream: text("u".repeat(1025)) }, { upstream: shownLong("u", 1025) }],
  [{ service: text("s".repeat(1025)) }, { service: shownLong("s", 1025) }],
  [{ method: text("m".repeat(1025)) }, { method: shownLong("m", 1025) }],
  [{ message: [131_072, 4 * MIB + 1] }, { message: shownLong("\\x00", 4 * MIB + 1) }],
  [{ metadata: pairs(["x", "v".repeat(65_536)]) }, { metadata: `{x: ${shownLong("v", 65_536)}}` }],
]);

const cases: readonly Case[] = [
  {
    name: "proxy_grpc_call() gives calls odd numbers",
    guest: { on: { proxy_on_request_headers: { calls: [call.call(), call.call(), call.call()] } } },
    run: AUTH,
    lines: [call.line("Ok -> token=1"), call.line("Ok -> token=3"), call.line("Ok -> token=5")],
  },
  {
    name: "proxy_grpc_call() reads the upstream from Envoy's message, too",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            // GrpcService { envoy_grpc { cluster_name: "auth" } }
            call.call({ upstream: text("\x0a\x06\x0a\x04auth") }),
            // GrpcService { google_grpc { target_uri: "dns:///auth" } }
            call.call({ upstream: text("\x12\x0d\x0a\x0bdns:///auth") }),
          ],
        },
      },
    },
    run: AUTH,
    lines: [
      call.line("Ok -> token=1", { upstream: '"\\n\\x06\\n\\x04auth"' }),
      call.line("Ok -> token=3", { upstream: '"\\x12\\r\\n\\x0bdns:///auth"' }),
    ],
  },
  {
    name: "proxy_grpc_call() takes an empty message, no metadata and no deadline",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [call.call({ metadata: [0, 0], message: [0, 0], timeout_ms: 0 })],
        },
      },
    },
    run: AUTH,
    lines: [call.line("Ok -> token=1", { metadata: "{}", message: '""', timeout_ms: "0" })],
  },
  {
    name: "proxy_grpc_call() answers ParseFailure to an upstream that is unknown or not granted",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: ["nobody", "secret", ""].map((name) => call.call({ upstream: text(name) })),
        },
      },
    },
    run: { upstreams: ["auth", "secret"], allow: { httpCall: ["auth"] } },
    shows: ["log"],
    lines: [
      call.line("ParseFailure", { upstream: '"nobody"' }),
      'log warn: Cannot call gRPC upstream "nobody": there is no such upstream',
      call.line("ParseFailure", { upstream: '"secret"' }),
      'log warn: Cannot call upstream "secret": plugin "plugin" is not granted it; add ' +
        '{ name: plugin, allow: { http_call: ["secret"] } } to wasm.plugins (gateway.yaml)',
      call.line("ParseFailure", { upstream: '""' }),
    ],
  },
  {
    name: "proxy_grpc_call() answers ParseFailure to what is malformed",
    guest: { on: { proxy_on_request_headers: { calls: malformed.calls } } },
    run: AUTH,
    shows: ["log"],
    lines: [
      ...malformed.lines.slice(0, 1),
      "log warn: Cannot make a gRPC call: the upstream, the service, the method or the metadata " +
        "is malformed, or they or the message are too long",
      ...malformed.lines.slice(1),
    ],
  },
  {
    name: "proxy_grpc_call() answers ParseFailure to names, messages and metadata above the bounds",
    guest: { pages: 100, on: { proxy_on_request_headers: { calls: tooLong.calls } } },
    run: AUTH,
    lines: tooLong.lines,
  },
  {
    name: "proxy_grpc_call() leaves metadata out that gRPC does not allow",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [call.call({ metadata: pairs(["x y", "1"], ["z", "\x80"], ["ok", "1"]) })],
        },
      },
    },
    run: AUTH,
    shows: ["log"],
    lines: [
      call.line("Ok -> token=1", { metadata: '{"x y": "1", z: "\\x80", ok: "1"}' }),
      "log warn: Some metadata of a gRPC call is left out: a name was no token, or a value no " +
        "printable ASCII",
    ],
  },
  {
    name: "proxy_grpc_call() lets a thousand calls be under way, and no more",
    guest: { on: { proxy_on_request_headers: { calls: [{ times: 1001, call: call.call() }] } } },
    run: AUTH,
    lines: [
      ...Array.from({ length: 1000 }, (_, at) => call.line(`Ok -> token=${2 * at + 1}`)),
      call.line("InternalFailure"),
    ],
  },
  call.hostileCase(AUTH),
  ...refusedOutsideOfContexts(call.call(), call.line("")),
];

export const conformance = casesOf("proxy_grpc_call", cases);
