import { systemLibc } from "../base/libc.ts";
import { log } from "../base/log.ts";

/** prctl(2): the signal that the kernel sends this process when its parent ends. */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * Has the kernel end this process with its parent. A worker notices a closed channel by itself, but
 * not while a guest loops: without this, such a worker would outlive a master that was killed, and
 * go on taking a share of the connections. Elsewhere than on Linux nothing happens.
 */
export function endWithParent(): void {
  if (process.platform !== "linux") return;
  const parent = process.ppid;
  const libc = systemLibc();
  if (libc === undefined) {
    log.warn("worker cannot ask to be ended with its master: there is no C library to ask through");
    return;
  }
  libc.prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before the kernel was told.
  if (process.ppid !== parent) process.exit(1);
}
