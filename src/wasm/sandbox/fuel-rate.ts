import { instrument } from "../instrument/instrument.ts";

/**
 * An endless loop, by hand: the hot code with the least work for each unit of fuel that it is
 * charged, bound by nothing but the counter itself.
 *
 *   (module (func (export "spin") (loop (br 0))))
 */
const SPIN = Uint8Array.fromHex(
  "0061736d01000000" + // "\0asm", version 1
    "010401600000" + // type 0: () -> ()
    "03020100" + // function 0 is of type 0
    "070801047370696e0000" + // export "spin" = function 0
    "0a0901070003400c000b0b", // loop; br 0; end; end
);

/** About a millisecond in all on a fast machine, ten on a slow one. */
const UNITS = 200_000;
const ROUNDS = 5;

/** Units of fuel per millisecond on this machine: measured, the best of a few rounds. */
export function fuelUnitsPerMs(): number {
  const { bytes, names } = instrument(SPIN, {
    memoryPagesMax: 0,
    tableEntriesMax: 0,
    checks: { poll: false, fuel: true },
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  const setFuel = exports[names.setFuel ?? ""] as (units: number) => number;
  const spin = exports["spin"] as () => void;
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    setFuel(UNITS);
    const startMs = performance.now();
    try {
      spin();
    } catch {
      // Out of fuel: what it is for.
    }
    best = Math.max(best, UNITS / (performance.now() - startMs));
  }
  return Math.floor(best);
}
