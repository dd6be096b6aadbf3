import { toArrayBuffer } from "bun:ffi";
import {
  type Address,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_READ_WRITE,
  systemLibc,
} from "../../base/libc.ts";
import { reservationOf } from "../image/reservation.ts";

/** Where rewritten modules store a byte in every loop: the last 64 KiB of what they can address. */
export const POLL_ADDRESS = 0xffff_0000;

const MAP_FLAGS = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;

/**
 * The page that one sandbox's guest stores to, in the engine's reservation for its memory.
 *
 *   base        size                        base + 0xFFFF0000              base + 4 GiB
 *    ├── memory ──┼────── inaccessible ───────┼─ page ─┼── inaccessible ──────┤
 *
 * A memory of 65,535 pages or more would reach the page; LIMITS.guestPagesMax keeps it far away.
 * The mapping belongs to the reservation and goes with it when the engine frees the memory, hence
 * the reference to the memory: the view dies first, or with it.
 */
export class PollPage {
  /** @internal for Watch */
  readonly address: Address;
  /** Only held: while this page is, its reservation must be. */
  readonly memory: WebAssembly.Memory;
  readonly #bytes: Uint8Array;

  private constructor(memory: WebAssembly.Memory, address: Address, byteLength: number) {
    this.memory = memory;
    this.address = address;
    this.#bytes = new Uint8Array(toArrayBuffer(address, 0, byteLength));
  }

  /** @returns undefined when the memory is not proven fast, or the kernel refuses */
  static map(memory: WebAssembly.Memory): PollPage | undefined {
    const reservation = reservationOf(memory);
    if (reservation === undefined || memory.buffer.byteLength > POLL_ADDRESS) return undefined;
    const { base, pageBytes } = reservation;
    const address = base + POLL_ADDRESS;
    const mapped = systemLibc()?.mmap(address, pageBytes, PROT_READ_WRITE, MAP_FLAGS, -1, 0);
    return mapped === address ? new PollPage(memory, address, pageBytes) : undefined;
  }

  /**
   * Zeros what the guest may have kept there, out of sight of whoever restores its memory. Only
   * while the page is open, so never between enter() and leave().
   */
  reset(): void {
    this.#bytes.fill(0);
  }
}
