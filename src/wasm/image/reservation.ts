import { addressOf, type Address } from "../../base/libc.ts";
import { systemKernel, type Kernel } from "./kernel.ts";

/**
 * Proof that a memory is of the engine's "fast" kind, which never moves and owns its addresses:
 *
 *   base              base + size                              base + 4 GiB + 8 MiB
 *    ├──── rw-p ───────────┼─────────────── ---p ───────────────────┤
 *    └ the guest's memory  └ reserved: grows here, faults elsewhere
 *
 * The other kind comes from the engine's allocator and is handed to somebody else when it is freed
 * or moved. A mapping laid over it would stay behind, and a later memory, of another guest, would
 * show our bytes: a security hole, and seen. So the whole picture is demanded, to the byte. The
 * engine has 8 fast memories unless BUN_JSC_maxNumWasmFastMemories says otherwise.
 */
export interface Reservation {
  /** Begins a page. (A mapping begins before it: the allocator's own page for the reservation.) */
  readonly base: Address;
  readonly pageBytes: number;
}

/** What an address of 32 bits and an offset can reach, and the engine's red zone after it. */
const RESERVED_BYTES = 4 * 2 ** 30 + 8 * 2 ** 20;

/** A memory with an image under it, grown since, has three mappings up to its end; and to spare. */
const MAPPINGS_MAX = 16;

/** A memory stays what it is, and what we map into its reservation would spoil the picture. */
const proven = new WeakMap<WebAssembly.Memory, Reservation>();

/**
 * Undefined: not proved. Asking the kernel takes some 3 µs, or 30 µs when it is older than 6.11; it
 * is asked once for a memory, before anything else is mapped there.
 */
export function reservationOf(
  memory: WebAssembly.Memory,
  kernel: Kernel | undefined = systemKernel(),
): Reservation | undefined {
  // Another kernel is a test's, and sees other things.
  if (kernel !== systemKernel()) return proof(memory, kernel);
  const known = proven.get(memory) ?? proof(memory, kernel);
  if (known !== undefined) proven.set(memory, known);
  return known;
}

function proof(memory: WebAssembly.Memory, kernel: Kernel | undefined): Reservation | undefined {
  const { buffer } = memory;
  if (kernel === undefined || buffer instanceof SharedArrayBuffer) return undefined;
  const base = addressOf(buffer);
  if (base === undefined || base % kernel.pageBytes !== 0) return undefined;
  const mappingAt = kernel.mappings();
  if (mappingAt === undefined) return undefined;
  let at = base;
  const parts = [
    { end: base + buffer.byteLength, permissions: "rw-p" },
    { end: base + RESERVED_BYTES, permissions: "---p" },
  ];
  for (const part of parts) {
    for (let count = 0; at < part.end; count++) {
      const mapping = mappingAt(at);
      if (mapping?.permissions !== part.permissions || count === MAPPINGS_MAX) return undefined;
      at = mapping.end;
    }
    if (at !== part.end) return undefined;
  }
  return { base, pageBytes: kernel.pageBytes };
}
