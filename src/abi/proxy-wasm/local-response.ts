import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import { decodePairs } from "./pairs.ts";
import { NO_PSEUDO_HEADERS } from "./pseudo-headers.ts";
import { Status } from "./types.ts";

const STATUS_MIN = 200;
const STATUS_MAX = 599;
const GRPC_STATUS_MAX = 16;

export function localResponseFunctions(guest: Guest) {
  return {
    /**
     * Answers in the upstream's place once the callback has returned. The first reply wins; a later
     * one is Ok and has no effect.
     * @param grpcStatus 0 to 16 becomes a grpc-status line, everything else (-1) none; with it, the
     *   body becomes the grpc-message when the request is one of gRPC
     * @returns BadArgument for a status outside 200 to 599, malformed headers, a body over
     *   LIMITS.guestBytesMax, and outside the context of an exchange
     */
    proxy_send_local_response(
      status: number,
      detailsPtr: number,
      detailsLength: number,
      bodyPtr: number,
      bodyLength: number,
      headersPtr: number,
      headersLength: number,
      grpcStatus: number,
    ): Status {
      const { memory, stream } = guest;
      if (stream === undefined || status < STATUS_MIN || status > STATUS_MAX) {
        return Status.BadArgument;
      }
      const body = memory.read(bodyPtr, bodyLength);
      const block = memory.read(headersPtr, headersLength);
      if (body === undefined || block === undefined) return Status.InvalidMemoryAccess;
      if (!memory.contains(detailsPtr, detailsLength)) return Status.InvalidMemoryAccess;
      if (body.byteLength > LIMITS.guestBytesMax) return Status.BadArgument;
      const pairs = decodePairs(block);
      if (pairs === undefined) return Status.BadArgument;
      const headers = new HeaderList();
      const refused = new HeaderMap(headers, NO_PSEUDO_HEADERS).replaceAll(pairs);
      if (refused > 0) guest.resources.log.warnOnce("refused reply header", REFUSED);
      const isGrpc = grpcStatus >= 0 && grpcStatus <= GRPC_STATUS_MAX;
      if (isGrpc) headers.set("grpc-status", String(grpcStatus));
      // A client of gRPC looks for the text there, and takes a body for a message.
      const isTrailersOnly = isGrpc && isGrpcRequest(stream.host.exchange.request.headers);
      if (isTrailersOnly) {
        headers.set("content-type", "application/grpc");
        if (body.byteLength > 0) headers.set("grpc-message", percentEncoded(body));
      }
      const detailsCut = Math.min(detailsLength >>> 0, LIMITS.guestNameBytesMax);
      stream.reply({
        status,
        headers,
        body: isTrailersOnly ? new Uint8Array() : new Uint8Array(body),
        details: memory.utf8(detailsPtr, detailsCut) ?? "",
      });
      return Status.Ok;
    },
  };
}

function isGrpcRequest(headers: HeaderList): boolean {
  return /^application\/grpc(?:[+;]|$)/i.test(headers.get("content-type") ?? "");
}

/** As gRPC wants its messages: visible ASCII and blanks as they are, but for the percent sign. */
function percentEncoded(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, LIMITS.guestNameBytesMax)).toString("latin1");
  return text.replace(/[^ -$&-~]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

const REFUSED =
  "Some header lines of a local response are left out: a name was no token, a value had a " +
  "control character, or it was a pseudo header";
