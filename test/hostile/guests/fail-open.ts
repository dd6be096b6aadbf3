import { type HostileGuest, SERVED } from "../guest.ts";
import { ALLOCATORS } from "./allocators.ts";
import { LOOPS } from "./loops.ts";
import { RECURSION } from "./recursion.ts";
import { TRAPS } from "./traps.ts";

/**
 * Guests that fail, once more, under `fail: open`: each exchange must be what it would be without
 * the plugin, to the byte, wherever the guest has failed in it.
 */
export const FAILING_OPEN: readonly HostileGuest[] = [
  ...TRAPS,
  ...LOOPS.filter(({ name }) => name.startsWith("loop-in-") || name === "loop-empty"),
  ...RECURSION,
  ...ALLOCATORS.filter(({ expect }) => expect !== SERVED),
].map((guest) => ({
  ...guest,
  name: `open-${guest.name}`,
  settings: [guest.settings, "fail: open"].filter((each) => each !== undefined).join(", "),
  expect: SERVED,
}));
