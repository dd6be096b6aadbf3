import { dlopen, FFIType, ptr, read } from "bun:ffi";

/**
 * The C library, for what neither Bun nor node: modules offer: memory mappings and a few calls of
 * Linux. Names and arguments are those of the manual pages. Addresses and lengths are numbers,
 * which is exact below 2^53. A call that fails answers -1; `errno()` then says why.
 */
export interface Libc {
  memfd_create(name: Address, flags: number): number;
  ftruncate(fd: number, byteLength: number): number;
  fallocate(fd: number, mode: number, offset: number, byteLength: number): number;
  /** @param path ends with NUL */
  open(path: Address, flags: number): number;
  /** @param path ends with NUL @returns bytes written, without a NUL behind them */
  readlink(path: Address, into: Address, byteLength: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  close(fd: number): number;
  pread(fd: number, into: Address, byteLength: number, offset: number): number;
  pwrite(fd: number, from: Address, byteLength: number, offset: number): number;
  ioctl(fd: number, request: number, argument: Address): number;
  /** @returns the address of the mapping */
  mmap(
    address: Address,
    byteLength: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Address;
  munmap(address: Address, byteLength: number): number;
  mprotect(address: Address, byteLength: number, protection: number): number;
  madvise(address: Address, byteLength: number, advice: number): number;
  memcpy(into: Address, from: Address, byteLength: number): void;
  memset(into: Address, byte: number, byteLength: number): void;
  prctl(option: number, argument: number): number;
  sysconf(name: number): number;
  /** @param into a `struct timespec`: two 64-bit words */
  clock_gettime(clock: number, into: Address): number;
  /** Why the call just made has failed. Calls in between, even of the engine, may change it. */
  errno(): number;
}

export type Address = number;

/** For open(2): to read, and not for processes that are started. */
export const O_RDONLY_CLOEXEC = 0x80000;

/** For mmap(2) and madvise(2): the same numbers on x64 and arm64. */
export const PROT_NONE = 0;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_FAILED = -1;
/** Drops pages: private ones of a file show the file again, anonymous ones zeros. */
export const MADV_DONTNEED = 4;

/** What the C library is looked for on, and how it is opened: tests pass their own. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  readonly dlopen: (library: string, symbols: typeof SYMBOLS) => { symbols: Symbols };
}

const { i32, u32, ptr: address, i64_fast: i64 } = FFIType;

/** Variadic ones (fcntl, ioctl, open, prctl) take numbers like any other on x64 and arm64 Linux. */
const SYMBOLS = {
  memfd_create: { args: [address, u32], returns: i32 },
  ftruncate: { args: [i32, i64], returns: i32 },
  fallocate: { args: [i32, i32, i64, i64], returns: i32 },
  open: { args: [address, i32], returns: i32 },
  readlink: { args: [address, address, i64], returns: i64 },
  fcntl: { args: [i32, i32, i64], returns: i32 },
  close: { args: [i32], returns: i32 },
  pread: { args: [i32, address, i64, i64], returns: i64 },
  pwrite: { args: [i32, address, i64, i64], returns: i64 },
  ioctl: { args: [i32, i64, address], returns: i32 },
  mmap: { args: [address, i64, i32, i32, i32, i64], returns: i64 },
  munmap: { args: [address, i64], returns: i32 },
  mprotect: { args: [address, i64, i32], returns: i32 },
  clock_gettime: { args: [i32, address], returns: i32 },
  madvise: { args: [address, i64, i32], returns: i32 },
  memcpy: { args: [address, address, i64], returns: address },
  memset: { args: [address, i32, i64], returns: address },
  prctl: { args: [i32, i64], returns: i32 },
  sysconf: { args: [i32], returns: i64 },
  __errno_location: { args: [], returns: address },
} as const;

type Symbols = Omit<Libc, "errno"> & { __errno_location(): Address | null };

const THIS_HOST: Host = {
  platform: process.platform,
  arch: process.arch,
  // The types of bun:ffi know an address as a type of its own; ours are plain numbers.
  dlopen: (library, symbols) => dlopen(library, symbols) as unknown as { symbols: Symbols },
};

/** The names of glibc and of musl: a container may have either, and neither under both names. */
const MUSL_ARCH: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** Opens the C library; undefined elsewhere than on Linux, and where there is none. */
export function openLibc({ platform, arch, dlopen: open }: Host = THIS_HOST): Libc | undefined {
  const musl = MUSL_ARCH[arch];
  if (platform !== "linux" || musl === undefined) return undefined;
  for (const library of ["libc.so.6", `libc.musl-${musl}.so.1`]) {
    try {
      const { symbols } = open(library, SYMBOLS);
      // oxlint-disable-next-line no-underscore-dangle -- the C library's own name
      return { ...symbols, errno: () => readInt(symbols.__errno_location()) };
    } catch {
      // The other C library, then.
    }
  }
  return undefined;
}

let opened: { libc: Libc | undefined } | undefined;

/** The C library of this process, opened when it is first asked for. */
export function systemLibc(): Libc | undefined {
  opened ??= { libc: openLibc() };
  return opened.libc;
}

/**
 * Where a buffer's bytes are, for as long as it exists and is not detached; undefined for none,
 * which have no address. Only of an ArrayBuffer: the bytes of a small typed array that was made
 * without one can move (seen), and the C library would go on reading and writing the old place.
 */
export function addressOf(buffer: ArrayBuffer): Address | undefined {
  return buffer.byteLength === 0 ? undefined : ptr(buffer);
}

function readInt(at: Address | null): number {
  return at === null ? 0 : read.i32(at, 0);
}
