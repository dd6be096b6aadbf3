import { addressOf, type Address, type Libc } from "../../base/libc.ts";

/** Flags of memfd_create(2). */
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Since Linux 6.3, which complains once in its log about files that do not say. */
const MFD_NOEXEC_SEAL = 8;

/** fcntl(2): from now on, the file neither grows nor shrinks, and nothing writes to it. */
const F_ADD_SEALS = 1033;
const SEAL_ALL = 1 + 2 + 4 + 8;

const NAME = new TextEncoder().encode("sluice-image\0").buffer;

/** A file of zeros that lives in memory only; undefined when there can be none. */
export function createMemoryFile(libc: Libc, byteLength: number): number | undefined {
  const name = addressOf(NAME);
  if (name === undefined) return undefined;
  const flags = MFD_CLOEXEC + MFD_ALLOW_SEALING;
  let fd = libc.memfd_create(name, flags + MFD_NOEXEC_SEAL);
  if (fd < 0) fd = libc.memfd_create(name, flags);
  if (fd < 0) return undefined;
  if (libc.ftruncate(fd, byteLength) === 0) return fd;
  libc.close(fd);
  return undefined;
}

/** The buffer is kept for its bytes, of which `address` tells. */
interface Page {
  readonly buffer: ArrayBuffer;
  readonly address: Address;
}

/**
 * The contents of an image as a sealed file. Pages of zeros are holes in it, and cost nothing until
 * one is read through a mapping.
 */
export class MemoryFile {
  readonly #libc: Libc;
  readonly #pageBytes: number;
  readonly #byteLength: number;
  #fd: number | undefined;
  /** Copies of pages in this process, by number: those that guests write, so at most all. */
  readonly #pages = new Map<number, Page>();
  #content: Uint8Array | undefined;

  private constructor(fd: number, libc: Libc, pageBytes: number, byteLength: number) {
    this.#fd = fd;
    this.#libc = libc;
    this.#pageBytes = pageBytes;
    this.#byteLength = byteLength;
  }

  /**
   * Undefined when the system has no such file to give.
   * @param bytes whole pages
   */
  static of(bytes: Uint8Array<ArrayBuffer>, libc: Libc, pageBytes: number): MemoryFile | undefined {
    const fd = createMemoryFile(libc, bytes.byteLength);
    if (fd === undefined) return undefined;
    const written = nonZeroRuns(bytes, pageBytes).every(({ start, end }) =>
      writeAll(libc, fd, bytes.subarray(start, end), start),
    );
    if (written && libc.fcntl(fd, F_ADD_SEALS, SEAL_ALL) === 0) {
      return new MemoryFile(fd, libc, pageBytes, bytes.byteLength);
    }
    libc.close(fd);
    return undefined;
  }

  /** Undefined once it is closed. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /** Where a page's bytes are, for as long as this object lives; undefined when it is too late. */
  pageAddress(number: number): Address | undefined {
    const page = this.#pages.get(number) ?? this.#loadPage(number);
    return page?.address;
  }

  #loadPage(number: number): Page | undefined {
    const buffer = new ArrayBuffer(this.#pageBytes);
    const address = addressOf(buffer);
    if (address === undefined || !this.#read(buffer, number * this.#pageBytes)) return undefined;
    const page = { buffer, address };
    this.#pages.set(number, page);
    return page;
  }

  /** All bytes up to the last page that is not all zeros; undefined when it is too late. */
  content(): Uint8Array | undefined {
    if (this.#content !== undefined) return this.#content;
    const bytes = new Uint8Array(this.#byteLength);
    if (!this.#read(bytes.buffer, 0)) return undefined;
    this.#content = contentOf(bytes, this.#pageBytes);
    return this.#content;
  }

  #read(into: ArrayBuffer, offset: number): boolean {
    const fd = this.#fd;
    if (fd === undefined) return false;
    return transferAll(new Uint8Array(into), (address, byteLength, done) =>
      this.#libc.pread(fd, address, byteLength, offset + done),
    );
  }

  close(): void {
    if (this.#fd !== undefined) this.#libc.close(this.#fd);
    this.#fd = undefined;
  }
}

/** A copy of the bytes up to the last page that is not all zeros. */
export function contentOf(bytes: Uint8Array, pageBytes: number): Uint8Array {
  return bytes.slice(0, nonZeroRuns(bytes, pageBytes).at(-1)?.end ?? 0);
}

/** Stretches of pages of which each holds something else than zeros, by ascending offset. */
export function nonZeroRuns(
  bytes: Uint8Array,
  pageBytes: number,
): { readonly start: number; readonly end: number }[] {
  const zeros = new Uint8Array(pageBytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const runs: { start: number; end: number }[] = [];
  for (let start = 0; start < bytes.byteLength; start += pageBytes) {
    const end = Math.min(start + pageBytes, bytes.byteLength);
    if (buffer.compare(zeros, 0, end - start, start, end) === 0) continue;
    const last = runs.at(-1);
    if (last?.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}

function writeAll(libc: Libc, fd: number, bytes: Uint8Array<ArrayBuffer>, offset: number): boolean {
  return transferAll(bytes, (address, byteLength, done) =>
    libc.pwrite(fd, address, byteLength, offset + done),
  );
}

/** One call may transfer less than it is asked for. @returns false when one transfers nothing */
function transferAll(
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
  transfer: (address: Address, byteLength: number, done: number) => number,
): boolean {
  const base = addressOf(buffer);
  if (base === undefined) return byteLength === 0;
  for (let done = 0; done < byteLength;) {
    const count = transfer(base + byteOffset + done, byteLength - done, done);
    if (count <= 0) return false;
    done += count;
  }
  return true;
}
