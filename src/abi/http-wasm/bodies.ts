import { LIMITS } from "../../base/limits.ts";
import type { Direction } from "../../filter/filter.ts";
import type { GuestExchange } from "./guest-exchange.ts";
import { outside } from "./guest-text.ts";
import type { HttpWasmGuest } from "./guest.ts";
import { exchangeOf, misuse, mustChangeRequest, mustChangeResponse } from "./misuse.ts";
import { BodyKind, Feature } from "./types.ts";

const EMPTY = new Uint8Array(0);

export function bodyFunctions(guest: HttpWasmGuest) {
  return {
    /**
     * Hands over the next bytes of a body, from where the last call has ended.
     * @returns 1 in the upper half at the end of the body; bytes in the lower half
     */
    read_body(kind: number, buf: number, limit: number): bigint {
      const exchange = exchangeOf(guest, "read_body");
      const direction = directionOf(kind);
      mustRead(exchange, direction);
      if (limit === 0) misuse("Cannot read a body into a buffer of 0 bytes");
      if (!guest.memory.contains(buf, limit)) outside(buf, limit);
      const body = direction === "request" ? exchange.requestBody : exchange.responseBody;
      const { bytes, eof } = body.read(exchange.source(direction), limit >>> 0);
      guest.memory.write(buf, bytes);
      return (eof ? 1n << 32n : 0n) | BigInt(bytes.byteLength);
    },

    /** The first call replaces the body, the next ones add to it; no bytes empty it. */
    write_body(kind: number, ptr: number, byteLength: number): void {
      const exchange = exchangeOf(guest, "write_body");
      const direction = directionOf(kind);
      mustWrite(exchange, direction);
      const bytes = byteLength === 0 ? EMPTY : guest.memory.read(ptr, byteLength);
      if (bytes === undefined) outside(ptr, byteLength);
      if (!bodyToWrite(exchange, direction).write(bytes)) {
        misuse(`Cannot write a ${direction} body of more than ${LIMITS.guestBytesMax} bytes`);
      }
    },
  };
}

function directionOf(kind: number): Direction {
  if (kind === BodyKind.Request) return "request";
  if (kind === BodyKind.Response) return "response";
  return misuse(`Cannot use a body of kind ${kind}: there are 0 and 1`);
}

function bodyToWrite(exchange: GuestExchange, direction: Direction) {
  if (direction === "request") return exchange.requestBody;
  return exchange.phase === "responding" ? exchange.responseBody : exchange.early.body;
}

function mustRead(exchange: GuestExchange, direction: Direction): void {
  if (exchange.phase !== "responding") return;
  const needed = direction === "request" ? Feature.BufferRequest : Feature.BufferResponse;
  if (exchange.has(needed)) return;
  misuse(
    `Cannot read the ${direction} body in handle_response without the feature buffer_${direction}`,
  );
}

function mustWrite(exchange: GuestExchange, direction: Direction): void {
  if (direction === "request") {
    mustChangeRequest(exchange, "the request body");
    return;
  }
  mustChangeResponse(exchange, "the response body");
  if (exchange.phase === "responding" && exchange.response.status === 101) {
    misuse("Cannot write a body: the response switches protocols and has none");
  }
}
