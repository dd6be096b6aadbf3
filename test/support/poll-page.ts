/**
 * The page that poll checks write to: the last of a memory's 4 GiB of addresses.
 *
 *   base ─ memory ─ … reserved, no access … ─ base + 0xffff0000: our page ─ base + 4 GiB
 *
 * A memory that is not "fast" has no such reservation, and a page there would overwrite a stranger.
 * Bun has enough fast memories only when its environment says so before it starts.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

/** Environment of a process that may use mapPollPage(). */
export const FAST_MEMORIES = { BUN_JSC_maxNumWasmFastMemories: "10000" } as const;

const POLL_OFFSET = 0xffff_0000;
const PAGE_BYTES = 4096;
const READ_WRITE = 3;
const PRIVATE_FIXED_ANONYMOUS = 0x02 | 0x10 | 0x20;

const libc = dlopen("libc.so.6", {
  mmap: {
    args: [FFIType.u64, FFIType.u64, FFIType.i32, FFIType.i32, FFIType.i32, FFIType.i64],
    returns: FFIType.u64,
  },
});

/** Lets a memory's poll checks pass; the mapping goes when the engine gives the memory back. */
export function mapPollPage(memory: WebAssembly.Memory): void {
  for (const [name, value] of Object.entries(FAST_MEMORIES)) {
    if (Bun.env[name] !== value) {
      throw new Error(`Cannot map a poll page: start this process with ${name}=${value}`);
    }
  }
  const page = BigInt(baseOf(memory)) + BigInt(POLL_OFFSET);
  const at = libc.symbols.mmap(page, PAGE_BYTES, READ_WRITE, PRIVATE_FIXED_ANONYMOUS, -1, 0n);
  if (at !== page) throw new Error(`Cannot map a poll page at 0x${page.toString(16)}`);
}

function baseOf(memory: WebAssembly.Memory): number {
  return ptr(new Uint8Array(memory.buffer));
}
