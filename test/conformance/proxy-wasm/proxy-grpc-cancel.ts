import { grpcCall, grpcStream, RESUME } from "../calls.ts";
import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { loaded, MAX, param } from "../probe.ts";

export const conformance = casesOf("proxy_grpc_cancel", [
  {
    name: "proxy_grpc_cancel() ends a call and a stream, of which nothing comes any more",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            grpcCall("call"),
            grpcStream("stream"),
            ["proxy_grpc_cancel", loaded("call")],
            ["proxy_grpc_cancel", loaded("stream")],
            ["proxy_grpc_cancel", loaded("call")],
            ["proxy_grpc_cancel", loaded("stream")],
            ["proxy_set_tick_period_milliseconds", 50],
          ],
        },
        proxy_on_tick: {},
        proxy_on_grpc_receive: {},
        proxy_on_grpc_close: {},
      },
    },
    run: {
      ticksAfter: 2,
      grpc: [
        { upstream: "auth", messages: ["pong"], delayMs: 20 },
        { upstream: "auth", messages: ["pong"], delayMs: 20 },
      ],
    },
    shows: ["proxy_on_grpc_receive", "proxy_on_grpc_close", "notes"],
    lines: [
      "proxy_grpc_cancel(token=1) = Ok",
      "* /svc/method is cancelled",
      "proxy_grpc_cancel(token=2) = Ok",
      "* /svc/method is cancelled",
      "proxy_grpc_cancel(token=1) = NotFound",
      "proxy_grpc_cancel(token=2) = NotFound",
    ],
  },
  {
    name: "proxy_grpc_cancel() ends a call and a stream in the middle of their events",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [grpcStream("stream")], answer: 1 },
        proxy_on_grpc_receive: {
          calls: [["proxy_grpc_cancel", param(1)], ["proxy_grpc_cancel", param(1)], ...RESUME],
        },
        proxy_on_grpc_close: {},
      },
    },
    run: { grpc: [{ upstream: "auth", messages: ["a", "b"] }] },
    shows: ["proxy_on_grpc_receive", "proxy_on_grpc_close", "notes"],
    lines: [
      "> proxy_on_grpc_receive(context=1, token=2, bytes=1)",
      "proxy_grpc_cancel(token=2) = Ok",
      "* /svc/method is cancelled",
      "proxy_grpc_cancel(token=2) = NotFound",
      "< proxy_on_grpc_receive",
    ],
  },
  {
    name: "proxy_grpc_cancel() does not find what there is not",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [0, 1, 2, 0x7fff_ffff, 0x8000_0000, MAX].map((id) => ["proxy_grpc_cancel", id]),
        },
      },
    },
    lines: [0, 1, 2, 0x7fff_ffff, 0x8000_0000, MAX].map(
      (id) => `proxy_grpc_cancel(token=${id}) = NotFound`,
    ),
  },
  ...refusedOutsideOfContexts(["proxy_grpc_cancel", 1], "proxy_grpc_cancel(token=1)"),
]);
