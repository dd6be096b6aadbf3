import { addressOf, type Libc, O_RDONLY_CLOEXEC, systemLibc } from "../../base/libc.ts";
import { mappingsByQuery, mappingsByText, type MappingAt } from "./mappings.ts";
import { privatePagesOf, type PrivatePages } from "./private-pages.ts";

/** What images need of Linux. */
export interface Kernel {
  readonly libc: Libc;
  readonly pageBytes: number;
  /** The mappings of this process as they are now; undefined when they cannot be learned. */
  readonly mappings: () => MappingAt | undefined;
  /** Undefined where the kernel cannot tell which pages were written (before 6.7). */
  readonly privatePages: PrivatePages | undefined;
}

/** sysconf(3): the same in glibc and musl. */
const SC_PAGESIZE = 30;

/** 4 KiB on x64; 4, 16 or 64 KiB on arm64. A Wasm page is 64 KiB, so none is larger than that. */
const PAGE_BYTES_MAX = 65_536;

/** Undefined elsewhere than on Linux, and where there is no C library. */
export function openKernel(libc: Libc | undefined): Kernel | undefined {
  if (libc === undefined) return undefined;
  const pageBytes = libc.sysconf(SC_PAGESIZE);
  if (!(pageBytes > 0 && PAGE_BYTES_MAX % pageBytes === 0)) return undefined;
  const mapsFd = openToRead(libc, "/proc/self/maps");
  const pagemapFd = openToRead(libc, "/proc/self/pagemap");
  const privatePages =
    pagemapFd === undefined ? undefined : privatePagesOf(libc, { pagemapFd, pageBytes });
  if (pagemapFd !== undefined && privatePages === undefined) libc.close(pagemapFd);
  return { libc, pageBytes, mappings: mappingsThrough(libc, mapsFd), privatePages };
}

function mappingsThrough(libc: Libc, mapsFd: number | undefined): Kernel["mappings"] {
  if (mapsFd === undefined) return () => undefined;
  const byQuery = mappingsByQuery(libc, mapsFd);
  return byQuery === undefined ? () => mappingsByText(mapsFd) : () => byQuery;
}

/** Not by node:fs, which takes a process a millisecond to load. */
function openToRead(libc: Libc, path: string): number | undefined {
  const name = new TextEncoder().encode(`${path}\0`).buffer;
  const fd = libc.open(addressOf(name) ?? 0, O_RDONLY_CLOEXEC);
  return fd < 0 ? undefined : fd;
}

let opened: { kernel: Kernel | undefined } | undefined;

/** The kernel as this process may use it, opened when it is first asked for. */
export function systemKernel(): Kernel | undefined {
  opened ??= { kernel: openKernel(systemLibc()) };
  return opened.kernel;
}
