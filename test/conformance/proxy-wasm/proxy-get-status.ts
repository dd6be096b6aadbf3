import { grpcCall, httpCall, RESUME } from "../calls.ts";
import { type Case, casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, out } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const status = new Prototype("proxy_get_status", { code: [out()], ptr: [out()], length: [out()] });

/** Asks in the callback that brings the answer, and continues the exchange. */
function asking(call: Call, callback: string, calls: readonly Call[]): Case["guest"] {
  return {
    on: {
      proxy_on_request_headers: { calls: [call], answer: 1 },
      [callback]: { calls: [...calls, ...RESUME] },
    },
  };
}

export const conformance = casesOf("proxy_get_status", [
  {
    name: "proxy_get_status() is 0 and empty before any call, and after one that was answered",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [status.call(), httpCall("", 50)], answer: 1 },
        proxy_on_http_call_response: { calls: [status.call(), ...RESUME] },
      },
    },
    run: { callOuts: [{ upstream: "auth", status: 503 }] },
    lines: [
      'proxy_get_status() = Ok -> code=0, message=""',
      'proxy_get_status() = Ok -> code=0, message=""',
    ],
  },
  {
    name: "proxy_get_status() tells why a call-out has failed",
    guest: asking(httpCall("", 50), "proxy_on_http_call_response", [status.call()]),
    run: { callOuts: [{ upstream: "auth", error: "connection refused" }] },
    lines: ['proxy_get_status() = Ok -> code=11, message="connection refused"'],
  },
  {
    name: "proxy_get_status() tells that a call-out has timed out",
    guest: asking(httpCall("", 50), "proxy_on_http_call_response", [status.call()]),
    run: { callOuts: [{ upstream: "auth", delayMs: 100 }] },
    lines: ['proxy_get_status() = Ok -> code=11, message="no answer within 50 ms"'],
  },
  {
    name: "proxy_get_status() tells the code and the message of a gRPC call",
    guest: asking(grpcCall("", 50), "proxy_on_grpc_close", [status.call()]),
    run: { grpc: [{ upstream: "auth", status: 7, message: "not you" }] },
    lines: ['proxy_get_status() = Ok -> code=7, message="not you"'],
  },
  {
    name: "proxy_get_status() tells that a gRPC call has timed out",
    guest: asking(grpcCall("", 50), "proxy_on_grpc_close", [status.call()]),
    run: { grpc: [{ upstream: "auth", delayMs: 100 }] },
    lines: ['proxy_get_status() = Ok -> code=4, message="no answer in time"'],
  },
  {
    name: "proxy_get_status() stays what the last answer was",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall("", 50)], answer: 1 },
        proxy_on_http_call_response: { calls: RESUME },
        proxy_on_response_headers: { calls: [status.call()] },
      },
    },
    run: { callOuts: [{ upstream: "auth", error: "connection refused" }] },
    lines: ['proxy_get_status() = Ok -> code=11, message="connection refused"'],
  },
  {
    ...status.hostileCase(),
    guest: asking(httpCall("", 50), "proxy_on_http_call_response", status.hostile().calls),
    run: { callOuts: [{ upstream: "auth", error: "connection refused" }] },
  },
  ...(["0", "beyond"] as const).map((answers) => ({
    name: `proxy_get_status() has no place for the message when the allocator answers ${answers}`,
    guest: {
      ...asking(httpCall("", 50), "proxy_on_http_call_response", [status.call()]),
      allocator: { answers },
    },
    run: { callOuts: [{ upstream: "auth", error: "connection refused" }] },
    lines: ["proxy_get_status() = InvalidMemoryAccess"],
  })),
  ...refusedOutsideOfContexts(status.call(), "proxy_get_status()"),
]);
