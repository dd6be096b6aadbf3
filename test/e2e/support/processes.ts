import { readFileSync } from "node:fs";

/** Resident memory of these processes together, in bytes; one that has ended counts as 0. */
export function rssBytes(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + rssBytesOf(pid), 0);
}

function rssBytesOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
