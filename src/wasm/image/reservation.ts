import { readFileSync } from "node:fs";
import { addressOf, type Address, systemLibc } from "../../base/libc.ts";

const GIB = 2 ** 30;
const SC_PAGESIZE = 30;

export interface Reservation {
  /** Address of the memory's first byte. */
  readonly base: Address;
  /** bytes; a page of the operating system: 4, 16 or 64 KiB. */
  readonly pageBytes: number;
}

/**
 * Proof that a memory is the engine's "fast" kind: its mapping ends with it, and what follows up to
 * 4 GiB is reserved and inaccessible. Other memories come from the allocator, beside foreign data.
 * @returns undefined when it is not proven
 */
export function reservationOf(memory: WebAssembly.Memory): Reservation | undefined {
  const pageBytes = systemLibc()?.sysconf(SC_PAGESIZE) ?? 0;
  const { buffer } = memory;
  const base = addressOf(buffer);
  if (pageBytes <= 0 || base === undefined) return undefined;
  return reserves(base, buffer.byteLength) ? { base, pageBytes } : undefined;
}

/**
 * The kernel may have merged what the guest has with an accessible mapping right below it, so the
 * first line need not begin at the base. What follows may be cut into pieces by mappings of ours.
 */
function reserves(base: Address, byteLength: number): boolean {
  let reached = 0;
  for (const line of readFileSync("/proc/self/maps", "latin1").split("\n")) {
    // 7f1a00000000-7f1a00010000 rw-p 00000000 00:00 0
    const [, from = "", to = "", access = ""] = /^(\w+)-(\w+) (\S+)/.exec(line) ?? [];
    const start = Number.parseInt(from, 16);
    const end = Number.parseInt(to, 16);
    if (reached === 0) {
      if (end <= base) continue;
      if (start > base || end !== base + byteLength || access !== "rw-p") return false;
    } else if (start !== reached || access !== "---p") return false;
    reached = end;
    if (reached >= base + 4 * GIB) return true;
  }
  return false;
}
