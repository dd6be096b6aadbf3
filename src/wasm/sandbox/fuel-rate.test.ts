import { describe, expect, test } from "bun:test";
import { instrument } from "../instrument/instrument.ts";
import { fuelUnitsPerMs, METERED_SPIN } from "./fuel-rate.ts";

/** (module (func (export "spin") (loop (br 0)))), by hand. */
const SPIN = Uint8Array.fromHex(
  "0061736d01000000" + // "\0asm", version 1
    "010401600000" + // type 0: () -> ()
    "03020100" + // function 0 is of type 0
    "070801047370696e0000" + // export "spin" = function 0
    "0a0901070003400c000b0b", // loop; br 0; end; end
);

describe("fuelUnitsPerMs()", () => {
  test("measures the loop that guests are metered with", () => {
    const { bytes } = instrument(SPIN, {
      memoryPagesMax: 0,
      tableEntriesMax: 0,
      checks: { poll: false, fuel: true },
    });
    expect(METERED_SPIN.toHex()).toBe(bytes.toHex());
  });

  test("finds more than a unit for each microsecond", () => {
    expect(fuelUnitsPerMs()).toBeGreaterThan(1000);
  });
});
