import { assert } from "../../base/assert.ts";
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_READ_WRITE,
  type Address,
} from "../../base/libc.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AttachedMemory } from "./attached-memory.ts";
import type { Kernel } from "./kernel.ts";
import type { MemoryFile } from "./memory-file.ts";

/**
 * A memory with the image's file mapped privately over its beginning. The guest reads the file's
 * pages, which all memories share; a page that it writes becomes its own.
 *
 *   base            base + image        base + size               base + 4 GiB + 8 MiB
 *    ├─ the file, private ─┼─ anonymous zeros ─┼─────── reserved ────────┤
 *
 * Putting it back: pages that were written are few and mostly the same ones each time, so they are
 * kept and copied back, which spares the next exchange their page faults. Where the kernel cannot
 * tell which they are, or they are many, all are dropped.
 */
export class OverlaidMemory implements AttachedMemory {
  readonly kind = "copy-on-write";
  readonly #memory: WebAssembly.Memory;
  readonly #base: Address;
  readonly #file: MemoryFile;
  readonly #kernel: Kernel;
  readonly #imageBytes: number;
  readonly #keptBytesMax: number;

  /** @param options.base of a memory whose beginning is mapped: see overlay() */
  constructor(
    memory: WebAssembly.Memory,
    options: { base: Address; file: MemoryFile; kernel: Kernel; imageBytes: number },
  ) {
    this.#memory = memory;
    this.#base = options.base;
    this.#file = options.file;
    this.#kernel = options.kernel;
    this.#imageBytes = options.imageBytes;
    this.#keptBytesMax = keptBytesMax(options.imageBytes);
    // What is above the image is as the memory came.
    if (memory.buffer.byteLength > options.imageBytes) this.reset();
  }

  reset(): void {
    const byteLength = this.#memory.buffer.byteLength;
    if (this.#putBackPages(byteLength)) return;
    const { libc } = this.#kernel;
    if (libc.madvise(this.#base, byteLength, MADV_DONTNEED) === 0) return;
    // Locked pages (mlockall) cannot be dropped.
    const content = this.#file.content();
    assert(content !== undefined, "Cannot reset a memory: its image has been closed");
    const bytes = new Uint8Array(this.#memory.buffer);
    bytes.set(content);
    bytes.fill(0, content.byteLength);
  }

  /** @returns false when it is not known which pages were written, or when they are many */
  #putBackPages(byteLength: number): boolean {
    const pages = this.#kernel.privatePages;
    if (pages === undefined) return false;
    const count = pages.find(this.#base, byteLength);
    if (count < 0) return false;
    let keptBytes = 0;
    for (let n = 0; n < count; n++) keptBytes += pages.to(n) - pages.from(n);
    if (keptBytes > this.#keptBytesMax) return false;
    for (let n = 0; n < count; n++) {
      if (!this.#putBack(pages.from(n), pages.to(n))) return false;
    }
    return true;
  }

  /** Offsets of whole pages. */
  #putBack(from: number, to: number): boolean {
    const { libc, pageBytes } = this.#kernel;
    const imageEnd = Math.min(to, this.#imageBytes);
    for (let at = from; at < imageEnd; at += pageBytes) {
      const pristine = this.#file.pageAddress(at / pageBytes);
      if (pristine === undefined) return false;
      libc.memcpy(this.#base + at, pristine, pageBytes);
    }
    const zeros = Math.max(from, imageEnd);
    if (to > zeros) libc.memset(this.#base + zeros, 0, to - zeros);
    return true;
  }

  discard(): void {
    const byteLength = this.#memory.buffer.byteLength;
    // Zeros in its place: the file's own pages go as well once no other memory shows them.
    if (mapZeros(this.#kernel, this.#base, byteLength)) return;
    this.#kernel.libc.madvise(this.#base, byteLength, MADV_DONTNEED);
  }
}

/** What an idle memory may hold beyond its image. */
function keptBytesMax(imageBytes: number): number {
  return Math.max(LIMITS.keptPageBytesMax, imageBytes / LIMITS.keptPageShare);
}

/**
 * Maps the image's file over the beginning of a memory.
 * @returns 0, or the system's error number: the memory is whole then, its contents undefined
 * @throws AssertionError when the memory has been left with a hole
 */
export function overlay(options: {
  base: Address;
  fd: number;
  kernel: Kernel;
  imageBytes: number;
}): number {
  const { base, fd, kernel, imageBytes } = options;
  const flags = MAP_PRIVATE + MAP_FIXED;
  if (kernel.libc.mmap(base, imageBytes, PROT_READ_WRITE, flags, fd, 0) === base) return 0;
  const errno = kernel.libc.errno();
  // The old mapping may be gone already, and whatever is mapped next could land in its place.
  const isWhole = isMapped(kernel, base, imageBytes) || mapZeros(kernel, base, imageBytes);
  assert(isWhole, `Cannot map ${imageBytes} bytes of a memory again: it has a hole now`);
  return errno;
}

/** Asked of the kernel: what reservationOf() knows was found out before. */
function isMapped(kernel: Kernel, base: Address, byteLength: number): boolean {
  const mappingAt = kernel.mappings();
  for (let at = base; at < base + byteLength;) {
    const mapping = mappingAt?.(at);
    if (mapping?.permissions !== "rw-p") return false;
    at = mapping.end;
  }
  return true;
}

function mapZeros({ libc }: Kernel, base: Address, byteLength: number): boolean {
  const flags = MAP_PRIVATE + MAP_FIXED + MAP_ANONYMOUS;
  return libc.mmap(base, byteLength, PROT_READ_WRITE, flags, -1, 0) === base;
}
