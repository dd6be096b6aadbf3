import type { Guest } from "../../src/abi/proxy-wasm/guest.ts";
import { startGuest } from "../../src/abi/proxy-wasm/start.ts";
import { loadModule } from "../../src/wasm/module.ts";
import { cpuClockOfThisThread, readClockMs } from "../../src/wasm/watch/cpu-clock.ts";
import { newExchange, run } from "./exchange.ts";
import { quantile } from "./figures.ts";
import { bytesOf, type GuestName, resourcesOf } from "./guests.ts";
import { startUnmetered } from "./unmetered.ts";

/**
 *   unmetered   what the compiler wrote, and nobody watches
 *   watched     checks for the watch: what a plugin gets
 *   both        counted by fuel besides: `limits.fuel` is set
 *   fuel        fuel alone: where there can be no watch
 */
export const VARIANTS = ["unmetered", "watched", "both", "fuel"] as const;
export type Variant = (typeof VARIANTS)[number];

const WARM_UP = 40;
const BATCHES = 150;
const BATCH = 250;
const FUEL = 1_000_000;

/** @param variant "fuel" needs a process in which the watch was not started */
export async function startVariant(name: GuestName, variant: Variant): Promise<Guest> {
  const bytes = await bytesOf(name);
  const fuel = variant === "both" ? FUEL : 0;
  const resources = resourcesOf(name, fuel);
  if (variant === "unmetered") return startUnmetered(bytes, resources);
  const module = loadModule(bytes, { memoryPages: 1024, fuel: fuel > 0 });
  if (module.watched === (variant === "fuel")) {
    throw new Error(
      `Cannot measure "${variant}": the watch is ${module.watched ? "" : "not "}there`,
    );
  }
  return startGuest(module, resources);
}

/**
 * µs of CPU that one exchange in a living guest takes, in the fastest tenth of the batches: what is
 * above is the machine's doing. The exchanges are made ahead.
 */
export async function timeVariant(name: GuestName, variant: Variant): Promise<number> {
  const guest = await startVariant(name, variant);
  const clock = cpuClockOfThisThread();
  if (clock === undefined) throw new Error("Cannot measure metering: no clock of this thread");
  const times = new Float64Array(BATCHES);
  for (let batch = -WARM_UP; batch < BATCHES; batch++) {
    // The engine's compilers are threads of their own, and get no turn on a busy machine.
    if (batch < 0) await Bun.sleep(5);
    const hosts = Array.from({ length: BATCH }, newExchange);
    const startMs = readClockMs(clock);
    for (const host of hosts) run(guest, host);
    if (batch >= 0) times[batch] = ((readClockMs(clock) - startMs) * 1000) / BATCH;
  }
  return quantile(times, 0.1);
}
