import { captureGuest, copyGuest } from "../../src/abi/guest/guest-image.ts";
import type { Guest } from "../../src/abi/proxy-wasm/guest.ts";
import { guestKind, startGuest } from "../../src/abi/proxy-wasm/start.ts";
import { loadModule } from "../../src/wasm/module.ts";
import { newExchange, run } from "./exchange.ts";
import { type Percentiles, percentiles } from "./figures.ts";
import { bytesOf, type GuestName, resourcesOf } from "./guests.ts";

/** Sandboxes that take turns. A pool prefers the one that served last: 1 while it is not busy. */
export const TURNS = [1, 64, 1000] as const;

const WARM_UP = 4000;
const CYCLES = 20_000;

/** µs of an exchange and its restore, for each of TURNS. */
export async function measureTurns(name: GuestName): Promise<Percentiles[]> {
  const module = loadModule(await bytesOf(name), { memoryPages: 1024, fuel: false });
  const resources = resourcesOf(name);
  const image = captureGuest(startGuest(module, resources));
  if (typeof image === "string") throw new Error(`Cannot measure ${name}: ${image}`);
  const guests: Guest[] = [];
  const found: Percentiles[] = [];
  for (const count of TURNS) {
    while (guests.length < count)
      guests.push(copyGuest(guestKind(module, resources), image, false));
    const times = new Float64Array(CYCLES);
    for (let round = -WARM_UP; round < CYCLES; round++) {
      const guest = guests[(round + WARM_UP) % count];
      const host = newExchange();
      const startNs = Bun.nanoseconds();
      if (guest !== undefined) run(guest, host);
      guest?.restore(image.state);
      if (round >= 0) times[round] = (Bun.nanoseconds() - startNs) / 1000;
    }
    found.push(percentiles(times));
  }
  return found;
}
