import { conditions } from "./conditions.ts";
import { SHIPPED_PATH, prepareShipped } from "./contestants/sluice.ts";
import { pickCores } from "./cores.ts";
import { Place } from "./place.ts";
import { startTimed } from "./start-time.ts";

/** What Sluice needs with the shipped gateway.yaml and two workers before anybody asks anything. */
export interface Footprint {
  /** From the start of the process to the first connection that is served, run by run. */
  readonly startMs: readonly number[];
  /** Of all processes, idle; shared pages count once. */
  readonly idlePssBytes: readonly number[];
  readonly conditions: string;
}

/** Chosen like a case. */
export const FOOTPRINT = "start and memory";

/** After that the workers have given back what only their start took. */
const IDLE_MS = 3000;

export async function measureFootprint(runs: number): Promise<Footprint> {
  const startMs: number[] = [];
  const idlePssBytes: number[] = [];
  await using place = await Place.create();
  const prepared = await prepareShipped(place);
  await place.write(prepared);
  for (let n = 0; n < runs; n++) {
    const started = await startTimed(prepared, place, SHIPPED_PATH, pickCores().both);
    await using server = started.server;
    startMs.push(started.listeningMs);
    await Bun.sleep(IDLE_MS);
    idlePssBytes.push(server.pssBytes());
  }
  return { startMs, idlePssBytes, conditions: await conditions() };
}
