import { StoreRefusal } from "../../shm/store-refusal.ts";
import type { GuestLog } from "../guest/guest-log.ts";
import { Status } from "./types.ts";

/**
 * What a guest is answered when a store refuses; the operator is told once of each reason.
 * @throws anything else, as it is
 */
export function refusedByStore(error: unknown, log: GuestLog): Status {
  if (!(error instanceof StoreRefusal)) throw error;
  log.warnOnce(error.code, `${error.message} [${error.code}]`);
  return Status.InternalFailure;
}
