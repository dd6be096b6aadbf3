import { type Arg, type Call, out, pairs, text } from "./probe.ts";

const HEAD = pairs([":method", "GET"], [":path", "/"], [":authority", "auth"]);
const NAMES: readonly Arg[] = [text("auth"), text("svc"), text("method"), 0, 0];

/** Asks the upstream "auth". @param timeoutMs ms */
export function httpCall(token = "", timeoutMs = 500): Call {
  return ["proxy_http_call", text("auth"), HEAD, 0, 0, 0, 0, timeoutMs, out(token)];
}

/** Sends "ping" to /svc/method of the upstream "auth". @param timeoutMs ms */
export function grpcCall(token = "", timeoutMs = 500): Call {
  return ["proxy_grpc_call", ...NAMES, text("ping"), timeoutMs, out(token)];
}

/** Opens a stream to /svc/method of the upstream "auth". */
export function grpcStream(token = ""): Call {
  return ["proxy_grpc_stream", ...NAMES, out(token)];
}

/** What a callback of the root context does for the first exchange's request to go on. */
export const RESUME: readonly Call[] = [
  ["proxy_set_effective_context", 2],
  ["proxy_continue_stream", 0],
];
