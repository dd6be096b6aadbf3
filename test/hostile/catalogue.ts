import type { HostileGuest, Instances } from "./guest.ts";
import { ALLOCATORS } from "./guests/allocators.ts";
import { BUDGETS } from "./guests/budgets.ts";
import { BODIES } from "./guests/bodies.ts";
import { CALL_OUTS } from "./guests/call-outs.ts";
import { FAILING_OPEN } from "./guests/fail-open.ts";
import { FLOODED_HOSTS } from "./guests/floods.ts";
import { HTTP_HANDLERS } from "./guests/http-handlers.ts";
import { HTTP_MESSAGES } from "./guests/http-messages.ts";
import { GRPC } from "./guests/grpc.ts";
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

const BY_GROUP: Readonly<Record<string, readonly HostileGuest[]>> = {
  loops: LOOPS,
  budgets: BUDGETS,
  recursion: RECURSION,
  memory: MEMORY,
  allocators: ALLOCATORS,
  pointers: POINTERS,
  floods: FLOODED_HOSTS,
  reentrancy: REENTRANCY,
  traps: TRAPS,
  "call-outs": CALL_OUTS,
  grpc: GRPC,
  replies: REPLIES,
  smuggling: SMUGGLING,
  bodies: BODIES,
  state: STATE,
  "fail-open": FAILING_OPEN,
  pauses: PAUSES,
  "http-handlers": HTTP_HANDLERS,
  "http-messages": HTTP_MESSAGES,
};

/** Every guest that starts and then attacks. Those that are refused at load: guests/start.ts. */
export const GUESTS: readonly HostileGuest[] = Object.values(BY_GROUP).flat();

/** A guest as one plugin runs it. */
export interface Attack {
  /** Of the plugin and, with ".test", of the host of its route. */
  readonly name: string;
  readonly guest: HostileGuest;
  readonly instances: Instances;
}

const BOTH: readonly Instances[] = ["shared", "per_request"];

/** The same, each guest once for each kind of instances: what one gateway is given at a time. */
export const GROUPS: Readonly<Record<string, readonly Attack[]>> = Object.fromEntries(
  Object.entries(BY_GROUP).map(([group, guests]) => [group, guests.flatMap(attacksOf)]),
);

function attacksOf(guest: HostileGuest): Attack[] {
  return (guest.instances ?? BOTH).map((instances) => ({
    name: `${guest.name}-${instances === "shared" ? "shared" : "fresh"}`,
    guest,
    instances,
  }));
}
