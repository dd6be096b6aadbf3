import { LIMITS } from "../../base/limits.ts";
import type { CallOutRefusal, CallOutRequest } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import { decodePairs } from "./pairs.ts";
import { RequestPseudoHeaders, TRAILER_PSEUDO_HEADERS } from "./pseudo-headers.ts";
import { Status } from "./types.ts";

export function httpCallFunctions(guest: Guest) {
  return {
    /**
     * Sends a request to an upstream, or to host:port; `proxy_on_http_call_response` brings the
     * answer, later and in the root context, and 0 headers when there is none.
     * @param timeoutMs 0: the gateway's own bound
     * @returns BadArgument without :method, :path or :authority, for CONNECT, malformed headers and
     *   an upstream that is unknown or not granted; InternalFailure when too many are under way
     */
    proxy_http_call(
      upstreamPtr: number,
      upstreamLength: number,
      headersPtr: number,
      headersLength: number,
      bodyPtr: number,
      bodyLength: number,
      trailersPtr: number,
      trailersLength: number,
      timeoutMs: number,
      resultPtr: number,
    ): Status {
      const { memory } = guest;
      const upstream = memory.latin1(upstreamPtr, upstreamLength, LIMITS.guestNameBytesMax);
      const headers = memory.read(headersPtr, headersLength);
      const body = memory.read(bodyPtr, bodyLength);
      const trailers = memory.read(trailersPtr, trailersLength);
      const readable =
        upstream !== undefined &&
        headers !== undefined &&
        body !== undefined &&
        trailers !== undefined;
      if (!readable || !memory.contains(resultPtr, 4)) return Status.InvalidMemoryAccess;
      if (body.byteLength > LIMITS.guestBytesMax) return Status.BadArgument;
      const request = requestOf(guest, { upstream, headers, body, trailers });
      if (request === undefined) return Status.BadArgument;
      request.timeoutMs = timeoutMs >>> 0;
      const id = guest.callOuts.send(request);
      if (typeof id === "string") return refused(guest, id, upstream);
      memory.writeU32(resultPtr, id);
      return Status.Ok;
    },

    /** Of the last call-out: 0, or 11 (BrokenConnection) and why there was no answer. */
    proxy_get_status(codePtr: number, resultPtr: number, lengthPtr: number): Status {
      const { code, message } = guest.status;
      const bytes = new TextEncoder().encode(message);
      if (!guest.memory.writeU32(codePtr, code)) return Status.InvalidMemoryAccess;
      return guest.give(bytes, resultPtr, lengthPtr);
    },
  };
}

/** The parts are borrowed from the guest; what comes out is copied. */
function requestOf(
  guest: Guest,
  parts: { upstream: string; headers: Uint8Array; body: Uint8Array; trailers: Uint8Array },
): CallOutRequest | undefined {
  const pairs = decodePairs(parts.headers);
  const trailerPairs = decodePairs(parts.trailers);
  if (pairs === undefined || trailerPairs === undefined) return undefined;
  const head = { method: "", target: "", authority: "", scheme: "http", headers: new HeaderList() };
  const trailers = new HeaderList();
  const left =
    new HeaderMap(head.headers, new RequestPseudoHeaders(head)).replaceAll(pairs) +
    new HeaderMap(trailers, TRAILER_PSEUDO_HEADERS).replaceAll(trailerPairs);
  if (head.method === "" || head.target === "" || head.authority === "") return undefined;
  // A tunnel is no answer, and the connection would be used again with the tunnel behind it.
  if (head.method === "CONNECT") return undefined;
  if (left > 0) guest.resources.log.warnOnce("refused call header", REFUSED);
  const { method, target, authority, headers } = head;
  const body = new Uint8Array(parts.body);
  return {
    upstream: parts.upstream,
    method,
    authority,
    target,
    headers,
    body,
    trailers,
    timeoutMs: 0,
  };
}

function refused(guest: Guest, refusal: CallOutRefusal, upstream: string): Status {
  if (refusal === "denied") {
    guest.resources.log.warnDenied("http_call", upstream);
    return Status.BadArgument;
  }
  const shown = JSON.stringify(upstream.slice(0, LIMITS.guestNameBytesMax));
  const why = {
    unknown: "there is no such upstream",
    overloaded:
      `at most ${LIMITS.callOutsInFlightMax} calls and ` +
      `${LIMITS.callOutBytesInFlightMax} bytes may wait for an answer`,
  }[refusal];
  guest.resources.log.warnOnce(`call ${refusal}`, `Cannot call upstream ${shown}: ${why}`);
  return refusal === "overloaded" ? Status.InternalFailure : Status.BadArgument;
}

const REFUSED =
  "Some header lines of a call-out are left out: a name was no token, a value had a control " +
  "character, or a pseudo header was unknown";
