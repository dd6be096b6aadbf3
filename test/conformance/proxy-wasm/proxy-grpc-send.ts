import { grpcCall, grpcStream } from "../calls.ts";
import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { loaded, MAX, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const send = new Prototype("proxy_grpc_send", {
  token: [loaded("stream"), "2"],
  message: [text("ping"), '"ping"'],
  end_of_stream: [0, "false"],
});

const AUTH = { grpc: [{ upstream: "auth", waitsForEnd: true }] };
const MIB = 1024 * 1024;

export const conformance = casesOf("proxy_grpc_send", [
  {
    name: "proxy_grpc_send() sends messages, and an end with the last one",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            grpcStream("stream"),
            send.call(),
            send.call({ message: [0, 0] }),
            send.call({ end_of_stream: 1 }),
          ],
        },
      },
    },
    run: AUTH,
    shows: ["notes"],
    lines: [
      send.line("Ok"),
      "* /svc/method is sent 4 bytes",
      send.line("Ok", { message: '""' }),
      "* /svc/method is sent 0 bytes",
      send.line("Ok", { end_of_stream: "true" }),
      "* /svc/method is sent 4 bytes",
      "* /svc/method is sent no more",
      "* /svc/method is cancelled",
    ],
  },
  {
    name: "proxy_grpc_send() takes every number but 0 for an end, after which nothing is sent",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [grpcStream("stream"), send.call({ end_of_stream: -1 }), send.call()],
        },
      },
    },
    run: AUTH,
    lines: [send.line("Ok", { end_of_stream: "true" }), send.line("BadArgument")],
  },
  {
    name: "proxy_grpc_send() refuses a call, which has had its message",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [grpcCall("call"), send.call({ token: loaded("call") })],
        },
      },
    },
    run: AUTH,
    lines: [send.line("BadArgument", { token: "1" })],
  },
  {
    name: "proxy_grpc_send() refuses a message above 4 MiB, and the stream goes on",
    guest: {
      pages: 100,
      on: {
        proxy_on_request_headers: {
          calls: [grpcStream("stream"), send.call({ message: [65_536, 4 * MIB + 1] }), send.call()],
        },
      },
    },
    run: AUTH,
    lines: [
      send.line("BadArgument", { message: shownLong("\\x00", 4 * MIB + 1) }),
      send.line("Ok"),
    ],
  },
  {
    name: "proxy_grpc_send() does not find a stream that there is not, or not any more",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            grpcStream("stream"),
            send.call({ token: 0 }),
            send.call({ token: 4 }),
            send.call({ token: MAX }),
            ["proxy_grpc_cancel", loaded("stream")],
            send.call(),
          ],
        },
      },
    },
    run: AUTH,
    lines: [
      send.line("NotFound", { token: "0" }),
      send.line("NotFound", { token: "4" }),
      send.line("NotFound", { token: "4294967295" }),
      send.line("NotFound"),
    ],
  },
  {
    ...send.hostileCase(AUTH),
    guest: {
      on: { proxy_on_request_headers: { calls: [grpcStream("stream"), ...send.hostile().calls] } },
    },
  },
  ...refusedOutsideOfContexts(send.call({ token: 2 }), send.line("")),
]);
