import { StoreRefusal } from "../../shm/store-refusal.ts";
import type { GuestLog } from "../guest/guest-log.ts";
import { Status } from "./types.ts";

/**
 * What a guest is answered when a store refuses; the operator is told once of each reason.
 * @param status one that the guest survives, where there is one: Rust's SDK ends it by any that the
 * function is not known to answer
 * @throws anything else, as it is
 */
export function refusedByStore(
  error: unknown,
  log: GuestLog,
  status: Status = Status.InternalFailure,
): Status {
  if (!(error instanceof StoreRefusal)) throw error;
  log.warnOnce(error.code, `${error.message} [${error.code}]`);
  return status;
}
