import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import { ROOT_CONTEXT_ID } from "./types.ts";

/**
 * Ends a guest's root context.
 *
 *   proxy_on_done ─ true ───────────────────────────────▶ proxy_on_delete ─▶ nothing runs any more
 *                 └ false ─ proxy_done(), or at the latest after LIMITS.guestDoneMsMax ─┘
 *
 * In between, its tick and its call-outs go on: they are what it waits for.
 * @param reason what whoever still uses the guest afterwards is told
 * @param closed called once, at the end
 */
export function closeGuest(guest: Guest, reason: GatewayError, closed: () => void): void {
  let deadline: Deadline | undefined;
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    deadline?.cancel();
    guest.pendingDone = undefined;
    callRoot(guest, "proxy_on_delete");
    guest.stop(reason);
    closed();
  };
  if (callRoot(guest, "proxy_on_done") !== 0) {
    finish();
    return;
  }
  guest.pendingDone = finish;
  deadline = deadlines.arm(LIMITS.guestDoneMsMax, finish);
}

/** @returns undefined also when the guest fails, or had failed: it has been logged then */
function callRoot(guest: Guest, name: "proxy_on_done" | "proxy_on_delete"): number | undefined {
  try {
    return guest.call(name, undefined, ROOT_CONTEXT_ID);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
