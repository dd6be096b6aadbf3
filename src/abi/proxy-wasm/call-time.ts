import type { CallTime } from "../guest/guest-core.ts";
import type { Stream } from "./context.ts";
import type { Guest } from "./guest.ts";

/** For a callback of that stream, or of the root context. */
export function callTime(guest: Guest, stream: Stream | undefined): CallTime {
  const { limits } = guest.resources.settings;
  if (guest.starting) return { ms: limits.startMs, word: "limits.start" };
  if (stream !== undefined && stream.leftMs < limits.deadlineMs) {
    return { ms: stream.leftMs, word: "left of limits.total" };
  }
  return guest.deadline;
}
