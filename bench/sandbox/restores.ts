import { captureGuest } from "../../src/abi/guest/guest-image.ts";
import type { Guest } from "../../src/abi/proxy-wasm/guest.ts";
import { startGuest } from "../../src/abi/proxy-wasm/start.ts";
import { loadModule } from "../../src/wasm/module.ts";
import { newExchange, run } from "./exchange.ts";
import { type Percentiles, percentiles } from "./figures.ts";
import { bytesOf, type GuestName, resourcesOf } from "./guests.ts";

const WARM_UP = 4000;
const CYCLES = 10_000;

/** Times in µs. */
export interface Restores {
  /** How the memory is put back, its bytes, and of them the guest's own after an exchange. */
  readonly kind: string;
  readonly memoryBytes: number;
  /** An exchange in a guest that nobody puts back. */
  readonly living: Percentiles;
  /** An exchange after a restore: what it finds missing, it pays for. */
  readonly restored: Percentiles;
  /** The restore after it. */
  readonly restore: Percentiles;
  /** Both together. */
  readonly cycle: Percentiles;
}

/** @param traps each exchange ends by a trap, so that nothing of the guest lives on */
export async function measureRestores(name: GuestName, traps = false): Promise<Restores> {
  const module = loadModule(await bytesOf(name), { memoryPages: 1024, fuel: false });
  const living = traps ? undefined : timeLiving(startGuest(module, resourcesOf(name)));
  const guest = startGuest(module, resourcesOf(name));
  const image = captureGuest(guest);
  if (typeof image === "string") throw new Error(`Cannot measure ${name}: ${image}`);
  const exchanges = new Float64Array(CYCLES);
  const restores = new Float64Array(CYCLES);
  const cycles = new Float64Array(CYCLES);
  for (let round = -WARM_UP; round < CYCLES; round++) {
    const host = newExchange();
    const startNs = Bun.nanoseconds();
    if (traps) runToTrap(guest, host);
    else run(guest, host);
    const ranNs = Bun.nanoseconds();
    const isRestored = guest.restore(image.state);
    const endNs = Bun.nanoseconds();
    if (!isRestored) throw new Error(`Cannot measure ${name}: it cannot be put back`);
    if (round < 0) continue;
    exchanges[round] = (ranNs - startNs) / 1000;
    restores[round] = (endNs - ranNs) / 1000;
    cycles[round] = (endNs - startNs) / 1000;
  }
  const restored = percentiles(exchanges);
  return {
    kind: image.sandbox.memory.kind,
    memoryBytes: image.sandbox.memory.byteLength,
    living: living ?? restored,
    restored,
    restore: percentiles(restores),
    cycle: percentiles(cycles),
  };
}

function timeLiving(guest: Guest): Percentiles {
  const times = new Float64Array(CYCLES);
  for (let round = -WARM_UP; round < CYCLES; round++) {
    const host = newExchange();
    const startNs = Bun.nanoseconds();
    run(guest, host);
    if (round >= 0) times[round] = (Bun.nanoseconds() - startNs) / 1000;
  }
  guest.sandbox.discard();
  return percentiles(times);
}

function runToTrap(guest: Guest, host: ReturnType<typeof newExchange>): void {
  try {
    run(guest, host);
  } catch {
    return;
  }
  throw new Error("Cannot measure traps: the guest did not trap");
}
