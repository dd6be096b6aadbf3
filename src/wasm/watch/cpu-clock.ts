import { addressOf, systemLibc } from "../../base/libc.ts";

/**
 * The kernel's clock for what the calling thread has used of a CPU; every thread may read it.
 * @returns an id for readClockMs(), or undefined where there is none to be had
 */
export function cpuClockOfThisThread(): number | undefined {
  const threadId = thisThreadId();
  if (threadId === undefined) return undefined;
  // Linux: the thread's id inverted, above three bits: 4 is "of a thread", 2 is "to the ns".
  const id = (~threadId << 3) | 6;
  return readClockMs(id) < 0 ? undefined : id;
}

const THREAD_SELF = new TextEncoder().encode("/proc/thread-self\0").buffer;
/** bytes; two numbers and a word between them. */
const LINK_BYTES = 64;

function thisThreadId(): number | undefined {
  const link = new ArrayBuffer(LINK_BYTES);
  const [path = 0, into = 0] = [addressOf(THREAD_SELF), addressOf(link)];
  const count = systemLibc()?.readlink(path, into, LINK_BYTES) ?? -1;
  if (count < 0) return undefined; // No /proc here.
  // "4711/task/4712"
  const text = new TextDecoder().decode(new Uint8Array(link, 0, count));
  const id = Number(text.split("/").at(-1));
  return Number.isSafeInteger(id) ? id : undefined;
}

/** The low halves of two 64-bit words are enough: seconds of CPU time fit. */
const timespec = new Uint32Array(new ArrayBuffer(16));
const timespecAddress = addressOf(timespec.buffer) ?? 0;

/** @returns ms, or -1 when there is no such clock; allocates nothing */
export function readClockMs(id: number): number {
  if (systemLibc()?.clock_gettime(id, timespecAddress) !== 0) return -1;
  return (timespec[0] ?? 0) * 1000 + (timespec[2] ?? 0) / 1e6;
}
