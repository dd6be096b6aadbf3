/**
 * Run in a process of its own by poll.test.ts: maps a page where checks poll, takes it away while a
 * guest runs, and prints what becomes of the guest.
 */
import { dlopen, ptr } from "bun:ffi";
import { BOTH, outcome, POLL, start } from "./testing.ts";

const PAGE_BYTES = 4096;
const POLL_OFFSET = 0xffff_0000;
const PROT_NONE = 0;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32;

const libc = dlopen("libc.so.6", {
  mmap: { args: ["u64", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
  mprotect: { args: ["u64", "u64", "i32"], returns: "i32" },
}).symbols;

function poll(text: string, both: boolean): string[] {
  let page = 0;
  const outcomes: string[] = [];
  const { call, exports, added } = start(
    text,
    { checks: both ? BOTH : POLL },
    { env: { expire: () => libc.mprotect(page, PAGE_BYTES, PROT_NONE) } },
  );
  const memory = exports["memory"] as WebAssembly.Memory;
  page = Number(ptr(new Uint8Array(memory.buffer))) + POLL_OFFSET;
  // Nothing is there yet, so the first check ends the call.
  outcomes.push(String(outcome(call, "f", 0)));
  libc.mmap(page, PAGE_BYTES, PROT_READ_WRITE, MAP_PRIVATE_FIXED_ANONYMOUS, -1, 0);
  outcomes.push(String(outcome(call, "f", 0)));
  outcomes.push(String(outcome(call, "f", 1)));
  libc.mprotect(page, PAGE_BYTES, PROT_READ_WRITE);
  outcomes.push(String(outcome(call, "f", 0)));
  if (both) {
    added("setFuel", 0);
    outcomes.push(String(outcome(call, "f", 0)));
  }
  return outcomes;
}

if (import.meta.main) {
  const [, , text = "", both = ""] = Bun.argv;
  process.stdout.write(JSON.stringify(poll(text, both === "both")));
}
