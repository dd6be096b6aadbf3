import { do_not_optimize } from "mitata";

/**
 * What the machine is like: a shared one is half as fast again at some hours as at others, and
 * figures of unlike phases say nothing when they are compared.
 */

const BYTES = Uint8Array.from({ length: 16_384 }, (_, at) => (at * 31) & 0xff);
const PASSES = 64;
const READINGS = 8;
const WARM_UP_PASSES = 2000;
let isWarm = false;

/** ns of processor time of a fixed loop over 16 KiB; the least of some readings. */
export function phaseNs(): number {
  // The engine interprets first, and compiles what runs often.
  if (!isWarm) for (let pass = 0; pass < WARM_UP_PASSES; pass++) do_not_optimize(hash());
  isWarm = true;
  let least = Infinity;
  for (let n = 0; n < READINGS; n++) {
    const before = process.cpuUsage();
    for (let pass = 0; pass < PASSES; pass++) do_not_optimize(hash());
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, ((user + system) * 1000) / PASSES);
  }
  return least;
}

/** Four at a time, so that a neighbour on the same core is felt as well as a slow clock. */
function hash(): number {
  let [a, b, c, d] = [1, 2, 3, 4];
  for (let at = 0; at < BYTES.length; at += 4) {
    a = Math.imul(a ^ (BYTES[at] as number), 0x0100_0193);
    b = Math.imul(b ^ (BYTES[at + 1] as number), 0x0100_0193);
    c = Math.imul(c ^ (BYTES[at + 2] as number), 0x0100_0193);
    d = Math.imul(d ^ (BYTES[at + 3] as number), 0x0100_0193);
  }
  return a ^ b ^ c ^ d;
}
