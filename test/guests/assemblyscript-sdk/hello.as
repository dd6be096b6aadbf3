import { get_current_time_nanoseconds } from "@solo-io/proxy-runtime/runtime";
import { random_get } from "bindings/wasi_unstable";

const NANOSECONDS: u64 = 1_000_000_000;

/** The randomness is WASI's, under the name that it had before its first preview. */
export function tickLine(): string {
  const bytes = new Uint32Array(1);
  random_get(changetype<usize>(bytes.buffer), 4);
  const seconds = get_current_time_nanoseconds() / NANOSECONDS;
  const number = bytes[0] % 1_000_000;
  return "It is " + seconds.toString() + " now, and the number is " + number.toString();
}
