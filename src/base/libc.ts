import { dlopen, FFIType } from "bun:ffi";

/**
 * What the gateway needs of the C library. Addresses are numbers: a process has 47 or 48 bits of
 * them, a number has 53.
 */
export interface Libc {
  /** @returns the address, or -1 */
  mmap(
    address: number,
    byteLength: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): number;
  /** @returns 0, or -1 */
  mprotect(address: number, byteLength: number, protection: number): number;
  /** @returns 0 after writing a `struct timespec` to `into`, or -1 */
  clock_gettime(clock: number, into: Uint32Array): number;
  sysconf(name: number): number;
}

const SYMBOLS = {
  mmap: {
    args: [FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.i32, FFIType.i32, FFIType.i64],
    returns: FFIType.i64_fast,
  },
  mprotect: { args: [FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  sysconf: { args: [FFIType.i32], returns: FFIType.i64_fast },
} as const;

let opened: Libc | undefined;
let tried = false;

/** glibc or musl; undefined elsewhere than on Linux and where neither can be loaded. */
export function libc(): Libc | undefined {
  if (!tried) opened = open();
  tried = true;
  return opened;
}

function open(): Libc | undefined {
  if (process.platform !== "linux") return undefined;
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  for (const library of ["libc.so.6", `libc.musl-${arch}.so.1`]) {
    try {
      return dlopen(library, SYMBOLS).symbols as unknown as Libc;
    } catch {
      // The other C library, then.
    }
  }
  return undefined;
}
