import { readFileSync } from "node:fs";

/** As taskset knows them: "0", "0,1". */
export interface Cores {
  /** Of a gateway with one worker. */
  readonly gateway: string;
  /** Of upstream and load generator. */
  readonly load: string;
  readonly both: string;
}

/** The first two that this process may use; where there is one only, everything shares it. */
export function pickCores(): Cores {
  return coresOf(allowed());
}

/**
 * A command that runs on these cores. Where they are all that there are it is the command itself:
 * taskset takes some ms to start it, which would count as its own.
 */
export function pinned(cores: string, cmd: readonly string[]): string[] {
  const all = coreNumbers(allowed());
  const isPinned = !all.every((core) => cores.split(",").includes(core));
  return isPinned ? ["taskset", "-c", cores, ...cmd] : [...cmd];
}

/** As the kernel writes it: "0-3,8". */
function allowed(): string {
  const status = readFileSync("/proc/self/status", "latin1");
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "0";
}

function coreNumbers(list: string): string[] {
  return list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => String(from + n));
  });
}

/** @param list as the kernel writes it: "0-3,8" */
export function coresOf(list: string): Cores {
  const all = coreNumbers(list);
  const [gateway = "0", load = gateway] = all;
  return { gateway, load, both: gateway === load ? gateway : `${gateway},${load}` };
}
