import { addressOf, MADV_DONTNEED } from "../../base/libc.ts";
import type { AttachedMemory } from "./attached-memory.ts";
import type { Kernel } from "./kernel.ts";
import type { Reservation } from "./reservation.ts";

/**
 * bytes; above it, pages are dropped rather than filled with zeros, where they are the memory's
 * own. Filling takes some 3 µs for 64 KiB, and makes pages resident that the guest never touched.
 */
const FILLED_BYTES_MAX = 131_072;

/** A memory that the image is copied into. */
export class CopiedMemory implements AttachedMemory {
  readonly kind = "copy";
  readonly #memory: WebAssembly.Memory;
  readonly #content: Uint8Array;
  readonly #kernel: Kernel | undefined;
  readonly #reservation: Reservation | undefined;

  /**
   * Copies the image at once.
   * @param content the image without the zeros at its end
   * @param options.reservation the memory's, when it has one
   */
  constructor(
    memory: WebAssembly.Memory,
    content: Uint8Array,
    options: { kernel: Kernel | undefined; reservation: Reservation | undefined },
  ) {
    this.#memory = memory;
    this.#content = content;
    this.#kernel = options.kernel;
    this.#reservation = options.reservation;
    this.reset();
  }

  reset(): void {
    const bytes = new Uint8Array(this.#memory.buffer);
    bytes.set(this.#content);
    const end = this.#dropZeros(bytes.byteLength);
    bytes.fill(0, this.#content.byteLength, end);
  }

  /** Has the system make zeros above the content. @returns where those begin that it has made */
  #dropZeros(byteLength: number): number {
    const reservation = this.#reservation;
    if (reservation === undefined || this.#kernel === undefined) return byteLength;
    const start = roundUp(this.#content.byteLength, reservation.pageBytes);
    if (byteLength - start <= FILLED_BYTES_MAX) return byteLength;
    const { libc } = this.#kernel;
    const dropped = libc.madvise(reservation.base + start, byteLength - start, MADV_DONTNEED);
    return dropped === 0 ? start : byteLength;
  }

  discard(): void {
    // Asked for anew: without a reservation, the memory may have moved.
    const { buffer } = this.#memory;
    const address = addressOf(buffer);
    if (address === undefined || this.#kernel === undefined) return;
    const { libc, pageBytes } = this.#kernel;
    // Neighbours in the allocator may share the first and the last page.
    const start = roundUp(address, pageBytes);
    const end = address + buffer.byteLength - ((address + buffer.byteLength) % pageBytes);
    if (end > start) libc.madvise(start, end - start, MADV_DONTNEED);
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
