/**
 * An endless loop as instrument() meters it: the hot code with the least work for each unit of fuel
 * that it is charged, bound by nothing but the counter itself. Written out, so that no process
 * loads the rewriter for it; a test rewrites it and compares.
 *
 *   (module (func (export "spin") (loop (br 0))))
 */
export const METERED_SPIN = Uint8Array.fromHex(
  "0061736d01000000" + // "\0asm", version 1
    "0110046000006000006000017f60017f017f" + // types
    "03050400030102" + // functions: spin, set-fuel, capture, restore
    "060a017e0142ffffffff070b" + // the counter
    "073c04047370696e00000f736c756963653a7365742d6675656c0001" + // exports
    "0e736c756963653a6361707475726500020e736c756963653a726573746f72650003" +
    "0a560417000340230042017d240023004200530440000b0c000b0b" + // code: spin first
    "3401017e230021012000ac2400200142ffffffff07200142ffffffff07531b" +
    "210120014280808080782001428080808078551ba70b02000b040041000b",
);

/** About a millisecond in all on a fast machine, ten on a slow one. */
const UNITS = 200_000;
const ROUNDS = 5;

/** Units of fuel per millisecond on this machine: measured, the best of a few rounds. */
export function fuelUnitsPerMs(): number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(METERED_SPIN), {});
  const setFuel = exports["sluice:set-fuel"] as (units: number) => number;
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
