import type { HttpWasmGuest } from "./guest.ts";
import { exchangeOf, misuse, mustChangeResponse } from "./misuse.ts";

const STATUS_MIN = 200;
const STATUS_MAX = 599;

export function statusFunctions(guest: HttpWasmGuest) {
  return {
    /** 200 when there is no response yet and the guest has not set another. */
    get_status_code(): number {
      const exchange = exchangeOf(guest, "get_status_code");
      const { phase, early } = exchange;
      return phase === "responding" ? exchange.response.status : early.statusNow;
    },

    /** @throws GuestMisuse when it is no final status */
    set_status_code(status: number): void {
      const exchange = exchangeOf(guest, "set_status_code");
      mustChangeResponse(exchange, "the status");
      if (status < STATUS_MIN || status > STATUS_MAX) {
        misuse(`Cannot set the status to ${status}: it is ${STATUS_MIN} to ${STATUS_MAX}`);
      }
      if (exchange.phase === "responding") exchange.response.status = status;
      else exchange.early.status = status;
    },
  };
}
