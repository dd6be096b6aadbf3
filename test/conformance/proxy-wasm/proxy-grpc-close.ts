import { grpcCall, grpcStream, RESUME } from "../calls.ts";
import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { loaded, MAX, param } from "../probe.ts";

export const conformance = casesOf("proxy_grpc_close", [
  {
    name: "proxy_grpc_close() ends the guest's side of a stream, whose answer still comes",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            grpcStream("stream"),
            ["proxy_grpc_close", loaded("stream")],
            ["proxy_grpc_close", loaded("stream")],
          ],
          answer: 1,
        },
        proxy_on_grpc_receive: {},
        proxy_on_grpc_close: {
          calls: [["proxy_grpc_close", param(1)], ...RESUME],
        },
      },
    },
    run: { grpc: [{ upstream: "auth", messages: ["pong"], waitsForEnd: true, delayMs: 20 }] },
    shows: ["proxy_on_grpc_receive", "proxy_on_grpc_close", "notes"],
    lines: [
      "proxy_grpc_close(token=2) = Ok",
      "* /svc/method is sent no more",
      "proxy_grpc_close(token=2) = Ok",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=4)",
      "< proxy_on_grpc_receive",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=2, status=0)",
      "proxy_grpc_close(token=2) = NotFound",
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "proxy_grpc_close() cancels a call",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            grpcCall("call"),
            ["proxy_grpc_close", loaded("call")],
            ["proxy_grpc_close", loaded("call")],
          ],
        },
        proxy_on_grpc_receive: {},
        proxy_on_grpc_close: {},
      },
    },
    run: { grpc: [{ upstream: "auth", messages: ["pong"] }] },
    shows: ["proxy_on_grpc_receive", "proxy_on_grpc_close", "notes"],
    lines: [
      "proxy_grpc_close(token=1) = Ok",
      "* /svc/method is cancelled",
      "proxy_grpc_close(token=1) = NotFound",
    ],
  },
  {
    name: "proxy_grpc_close() does not find what there is not",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [0, 1, 2, 0x7fff_ffff, 0x8000_0000, MAX].map((id) => ["proxy_grpc_close", id]),
        },
      },
    },
    lines: [0, 1, 2, 0x7fff_ffff, 0x8000_0000, MAX].map(
      (id) => `proxy_grpc_close(token=${id}) = NotFound`,
    ),
  },
  ...refusedOutsideOfContexts(["proxy_grpc_close", 1], "proxy_grpc_close(token=1)"),
]);
