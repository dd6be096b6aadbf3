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
  const status = readFileSync("/proc/self/status", "latin1");
  return coresOf(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "0");
}

/** @param list as the kernel writes it: "0-3,8" */
export function coresOf(list: string): Cores {
  const all = list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => String(from + n));
  });
  const [gateway = "0", load = gateway] = all;
  return { gateway, load, both: gateway === load ? gateway : `${gateway},${load}` };
}
