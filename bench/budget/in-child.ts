import { join } from "node:path";
import type { Measured } from "./budget.ts";
import { cheaper, type Least } from "./work.ts";

/** Without it, the engine has 8 memories that can be mapped. It is read when a process starts. */
const AS_WORKER = { BUN_JSC_maxNumWasmFastMemories: "10000" };

/** One thing to measure: a bench file, and what it is run with. */
export interface Asked {
  readonly file: "exchange" | "stages";
  readonly name: string;
  readonly part: "work" | "floor";
}

/** In a process of its own. */
export async function leastOf({ file, name, part }: Asked): Promise<Least> {
  const path = join(import.meta.dir, `../${file}.bench.ts`);
  const child = Bun.spawn([process.execPath, path, name, "--part", part], {
    env: { ...process.env, ...AS_WORKER },
    stderr: "inherit",
  });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`Cannot measure ${part} of "${name}"`);
  return JSON.parse(output) as Least;
}

/** What a child says. */
export function sayLeast(least: Least): void {
  process.stdout.write(JSON.stringify(least));
  process.exit(0); // The meter's thread and open deadlines would hold it.
}

/** Adds a figure to those of earlier rounds; the cheaper one stays. */
export function keepCheaper(all: Map<string, Measured>, { name, part }: Asked, seen: Least): void {
  const known = all.get(name);
  const least = part === "work" ? cheaper(known?.least, seen) : known?.least;
  const floor = part === "floor" ? cheaper(known?.floor, seen) : known?.floor;
  if (least === undefined) throw new Error(`Cannot keep a floor of "${name}" before its work`);
  all.set(name, { name, least, floor });
}

/** Above the best phase that was seen, a figure is that of a slow machine. */
const SLOW = 1.15;

/** What has no figure yet, or one of a slow phase only. */
export function wanting(
  asked: readonly Asked[],
  seen: Readonly<Record<Asked["file"], ReadonlyMap<string, Measured>>>,
): Asked[] {
  const leastOfAsked = ({ file, name, part }: Asked): Least | undefined => {
    const measured = seen[file].get(name);
    return part === "work" ? measured?.least : measured?.floor;
  };
  const found = asked.map((one) => leastOfAsked(one)?.phaseNs);
  const best = Math.min(...found.map((phaseNs) => phaseNs ?? Infinity));
  return asked.filter((_, n) => {
    const phaseNs = found[n];
    return phaseNs === undefined || phaseNs > best * SLOW;
  });
}
