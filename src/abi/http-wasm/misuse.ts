import { GuestMisuse } from "../../wasm/trap.ts";
import type { GuestExchange } from "./guest-exchange.ts";
import type { HttpWasmGuest } from "./guest.ts";
import { Feature } from "./types.ts";

/** @throws GuestMisuse: the guest traps, for this ABI has no statuses */
export function misuse(what: string): never {
  throw new GuestMisuse(what);
}

/** The exchange whose call is running. @throws GuestMisuse while the guest is being started */
export function exchangeOf(guest: HttpWasmGuest, name: string): GuestExchange {
  return guest.exchange ?? misuse(`Cannot call ${name} outside of a request`);
}

/** @throws GuestMisuse after the request has gone on */
export function mustChangeRequest(exchange: GuestExchange, what: string): void {
  if (exchange.phase !== "requesting") {
    misuse(`Cannot change ${what} in handle_response: the request has been sent`);
  }
}

/** @throws GuestMisuse in handle_response without buffer_response */
export function mustChangeResponse(exchange: GuestExchange, what: string): void {
  if (exchange.phase === "responding" && !exchange.has(Feature.BufferResponse)) {
    misuse(`Cannot change ${what} in handle_response without the feature buffer_response`);
  }
}
