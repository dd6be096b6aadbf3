import { dlopen, FFIType, ptr } from "bun:ffi";

/**
 * The C library, for what neither Bun nor node: modules offer. Names and arguments are those of the
 * manual pages. Addresses and lengths are numbers, which is exact below 2^53. A call that fails
 * answers -1.
 */
export interface Libc {
  /** @returns the address of the mapping */
  mmap(
    address: Address,
    byteLength: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Address;
  mprotect(address: Address, byteLength: number, protection: number): number;
  /** @param into 16 bytes, two words of 64 bits: seconds and nanoseconds */
  clock_gettime(clock: number, into: Address): number;
  sysconf(name: number): number;
}

export type Address = number;

/** For mmap(2) and mprotect(2): the same numbers on x64 and arm64. */
export const PROT_NONE = 0;
export const PROT_READ_WRITE = 3;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;

const { i32, ptr: address, i64_fast: i64 } = FFIType;

const SYMBOLS = {
  mmap: { args: [address, i64, i32, i32, i32, i64], returns: i64 },
  mprotect: { args: [address, i64, i32], returns: i32 },
  clock_gettime: { args: [i32, address], returns: i32 },
  sysconf: { args: [i32], returns: i64 },
} as const;

let opened: { libc: Libc | undefined } | undefined;

/** The C library of this process, glibc or musl; undefined elsewhere than on Linux. */
export function systemLibc(): Libc | undefined {
  opened ??= { libc: open() };
  return opened.libc;
}

function open(): Libc | undefined {
  if (process.platform !== "linux") return undefined;
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  for (const library of ["libc.so.6", `libc.musl-${arch}.so.1`]) {
    try {
      // The types of bun:ffi know an address as a type of its own; ours are plain numbers.
      return dlopen(library, SYMBOLS).symbols as unknown as Libc;
    } catch {
      // The other C library, then.
    }
  }
  return undefined;
}

/** Where a buffer's bytes are, for as long as it exists; undefined for none. */
export function addressOf(buffer: ArrayBuffer): Address | undefined {
  return buffer.byteLength === 0 ? undefined : ptr(buffer);
}
