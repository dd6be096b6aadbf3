import type { HostileGuest, Instances } from "./guest.ts";
import { ALLOCATORS } from "./guests/allocators.ts";
import { BODIES } from "./guests/bodies.ts";
import { CALL_OUTS } from "./guests/call-outs.ts";
import { FLOODED_HOSTS } from "./guests/floods.ts";
import { LOOPS } from "./guests/loops.ts";
import { MEMORY } from "./guests/memory.ts";
import { PAUSES } from "./guests/pauses.ts";
import { POINTERS } from "./guests/pointers.ts";
import { RECURSION } from "./guests/recursion.ts";
import { REENTRANCY } from "./guests/reentrancy.ts";
import { REPLIES } from "./guests/replies.ts";
import { SMUGGLING } from "./guests/smuggling.ts";
import { STATE } from "./guests/state.ts";
import { TRAPS } from "./guests/traps.ts";

/** Every guest that starts and then attacks. Those that are refused at load: guests/start.ts. */
export const GUESTS: readonly HostileGuest[] = [
  ...LOOPS,
  ...RECURSION,
  ...MEMORY,
  ...ALLOCATORS,
  ...POINTERS,
  ...FLOODED_HOSTS,
  ...REENTRANCY,
  ...TRAPS,
  ...PAUSES,
  ...CALL_OUTS,
  ...REPLIES,
  ...SMUGGLING,
  ...BODIES,
  ...STATE,
];

/** A guest as one plugin runs it. */
export interface Attack {
  /** Of the plugin and, with ".test", of the host of its route. */
  readonly name: string;
  readonly guest: HostileGuest;
  readonly instances: Instances;
}

const BOTH: readonly Instances[] = ["shared", "per_request"];

/** @param pattern only guests whose attack's name matches */
export function attacks(pattern = ""): Attack[] {
  const wanted = new RegExp(pattern);
  return GUESTS.flatMap((guest) =>
    (guest.instances ?? BOTH).map((instances) => ({
      name: `${guest.name}-${instances === "shared" ? "shared" : "fresh"}`,
      guest,
      instances,
    })),
  ).filter(({ name }) => wanted.test(name));
}
