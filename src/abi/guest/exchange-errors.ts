import { GatewayError } from "../../base/errors.ts";

/** The guest has begun another life: what this exchange has left in it is gone. */
export function putBack(plugin: string): GatewayError {
  return new GatewayError(
    "FILTER_FAILED",
    `Plugin "${plugin}" was put back to its start when another exchange failed`,
  );
}

/** The callbacks of one exchange have taken more together than they may. */
export function overTime(plugin: string, totalMs: number): GatewayError {
  return new GatewayError(
    "FILTER_DEADLINE",
    `Plugin "${plugin}" has used up its time for this exchange: ${totalMs} ms (limits.total)`,
  );
}
