import type * as FileSystem from "node:fs";
import { addressOf, type Address, type Libc } from "../../base/libc.ts";

/** One mapping of this process: addresses from `start` up to `end`, and what may be done there. */
export interface Mapping {
  readonly start: Address;
  readonly end: Address;
  /** As /proc/self/maps writes it: "rw-p", "---p". */
  readonly permissions: string;
}

/** The mapping that an address lies in; undefined when nothing is mapped there. */
export type MappingAt = (address: Address) => Mapping | undefined;

/** _IOWR('f', 17, struct procmap_query), since Linux 6.11. */
const PROCMAP_QUERY = 0xc0686611;

/** struct procmap_query in words of 8 bytes, and where its fields are. */
const QUERY_WORDS = 13;
const QUERY = { size: 0, address: 2, start: 3, end: 4, flags: 5 } as const;

/**
 * Asks the kernel about one address, in under 1 µs; undefined where it cannot be asked.
 * @param mapsFd of /proc/self/maps, open for reading
 */
export function mappingsByQuery(libc: Libc, mapsFd: number): MappingAt | undefined {
  const query = new BigUint64Array(new ArrayBuffer(8 * QUERY_WORDS));
  const address = addressOf(query.buffer);
  if (address === undefined) return undefined;
  const ask: MappingAt = (at) => {
    query.fill(0n);
    query[QUERY.size] = BigInt(query.byteLength);
    query[QUERY.address] = BigInt(at);
    if (libc.ioctl(mapsFd, PROCMAP_QUERY, address) !== 0) return undefined;
    return {
      start: Number(query[QUERY.start]),
      end: Number(query[QUERY.end]),
      permissions: permissionsOf(Number(query[QUERY.flags])),
    };
  };
  // The struct itself lies in some mapping: a kernel that finds none does not know the question.
  return ask(address) === undefined ? undefined : ask;
}

/** From the flags of PROCMAP_QUERY. */
function permissionsOf(flags: number): string {
  const letters = (flags & 1 ? "r" : "-") + (flags & 2 ? "w" : "-") + (flags & 4 ? "x" : "-");
  return letters + (flags & 8 ? "s" : "p");
}

/** bytes; one read of /proc/self/maps, which gives at most a page at a time anyway. */
const READ_BYTES = 4096;

/**
 * For kernels that cannot be asked: reads the mappings as they are now, up to the highest address
 * that is looked for. The newest memories have the lowest addresses, and come early.
 * @param mapsFd of /proc/self/maps, open for reading
 */
export function mappingsByText(mapsFd: number): MappingAt {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  const { readSync } = require("node:fs") as typeof FileSystem;
  const chunk = Buffer.alloc(READ_BYTES);
  let maps = "";
  let isWhole = false;
  return (address) => {
    for (;;) {
      const mapping = mappingsOf(maps)(address);
      if (mapping !== undefined || isWhole) return mapping;
      const count = readSync(mapsFd, chunk, 0, READ_BYTES, maps.length);
      if (count === 0) isWhole = true;
      // One char per byte, so that the length is the position to read on from.
      maps += chunk.toString("latin1", 0, count);
    }
  };
}

/** @param maps text of /proc/self/maps: a line for each mapping, by address; the end may lack */
export function mappingsOf(maps: string): MappingAt {
  return (address) => {
    let low = 0;
    let high = maps.length;
    // Invariant: `low` begins a line, and no line that begins at `high` or later holds the address.
    while (low < high) {
      const begin = maps.lastIndexOf("\n", ((low + high) >>> 1) - 1) + 1;
      const line = /^([0-9a-f]+)-([0-9a-f]+) (\S{4})/.exec(maps.slice(begin, begin + 48));
      if (line === null) return undefined;
      const start = Number.parseInt(line[1] ?? "", 16);
      const end = Number.parseInt(line[2] ?? "", 16);
      if (address >= start && address < end) return { start, end, permissions: line[3] ?? "" };
      if (address < start) high = begin;
      else low = maps.indexOf("\n", begin) + 1 || maps.length;
    }
    return undefined;
  };
}
