import { describe, expect, test } from "bun:test";
import { BOTH, FUEL, NONE, original, outcome, POLL, rewrite, start } from "./testing.ts";

/** Modules in bytes, because the text assembler of these tests does not know their instructions. */
const MODULES = {
  /**
   * A recursion group, structs, arrays with their bulk operations, casts, i31, a call by reference;
   * a global of a struct type and one of i31ref; a passive data segment.
   */
  gc:
    "0061736d010000000120034e0250005f027f016300014f01005f037f0163000178005e780160017f017f" +
    "03030203030503010001060e02630001d0710b6c014103fb1c0b07050101660001090501030001000c01" +
    "010a9d0102040020000b950103016300016402017f41074128fb060221022002410141094105fb100220" +
    "02410a200241014105fb1102022002411441004103fb120200034020032001fb00002101200341016a21" +
    "0320032000480d000b20012400413220014102fb000121012001fb02000020024115fb0d026a2002fb0f" +
    "2301fb1e027f0264012001fb18010000011a41050c010b1a41060bd20014036a6a6a0b0b090101066162" +
    "63646566",
  /** try_table with its four kinds of clauses, throw_ref, a loop that a handler goes back to. */
  exceptions:
    "0061736d0100000001120460017f0060000060017f017f6000027f69030302000205030100010d050200" +
    "000001070501016600010a810102180020004101460440410b08000b2000410246044008010b0b660202" +
    "69037f037f027f0203024002691f40020000030201200010000b1f40020100020300200041046b10000b" +
    "41010f0b21011f4001020020010a0b000b200341016a21034101210020034103480d0241e40020036a0f" +
    "0b21022204210520021a20050f0b0b0b",
  /** call_ref, return_call_ref, br_on_non_null, a table with an initial value, typed globals. */
  references:
    "0061736d0100000001060160017f017f030403000000040501630000040503010001060d02630001d073" +
    "0b640001d2000b07050101660002091002060041010b630001d2000b030001010a42030700200041036c" +
    "0b14002000450440412a0f0b200041016bd20115000b2300d201240020002300d41400027f2000026400" +
    "20002500d60041070c010b14000b6a0b",
} as const;

const NAMES = ["gc", "exceptions", "references"] as const;

function bytesOf(name: keyof typeof MODULES): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(MODULES[name]);
}

describe("instrument() keeps what a module does that uses", () => {
  test.each(NAMES)("%s", (name) => {
    const bytes = bytesOf(name);
    const before = original(bytes);
    const args = [0, 1, 2, 3, 4, 5, 6, 200];
    const expected = args.map((each) => outcome(before, "f", each));
    expect(new Set(expected).size).toBeGreaterThan(name === "gc" ? 0 : 1);
    for (const checks of [FUEL, NONE]) {
      const { call } = start(bytes, { checks });
      expect(args.map((each) => outcome(call, "f", each))).toEqual(expected);
    }
    for (const checks of [POLL, BOTH]) {
      expect(WebAssembly.validate(rewrite(bytes, { checks }).bytes)).toBe(true);
    }
  });
});

describe("instrument() ends", () => {
  test.each([
    { name: "gc", says: "a loop of allocations" },
    { name: "references", says: "a function that calls itself through a reference" },
  ] as const)("$says", ({ name }) => {
    const { call, added } = start(bytesOf(name));
    added("setFuel", 10_000);
    expect(outcome(call, "f", name === "gc" ? 2 ** 31 - 1 : -1)).toContain("Unreachable code");
  });

  test("a handler that goes back to its loop", () => {
    const { call, added } = start(bytesOf("exceptions"));
    added("setFuel", 1000);
    const turns = Array.from({ length: 100 }, () => outcome(call, "f", 2));
    expect(turns[0]).toBe(11);
    expect(turns[99]).toContain("Unreachable code");
  });
});

describe("traits", () => {
  test("find that heap objects are not captured", () => {
    const { traits } = rewrite(bytesOf("gc"));
    expect(traits.unrestorable).toEqual([
      "mutable global 0 of type (ref null 0) leads to objects that can change and are not captured",
    ]);
    expect(traits.uncopyable).toEqual([
      ...traits.unrestorable,
      "mutable global 1 of type i31ref has a value that cannot be handed to another instance",
    ]);
  });

  test("find that what is never null has no shadow", () => {
    const { traits, globals } = rewrite(bytesOf("references"));
    expect(traits.unrestorable).toEqual([
      "mutable global 1 of type (ref 0) cannot be copied: it is never null",
    ]);
    expect(globals.map(({ type }) => type)).toEqual(["(ref null 0)", "(ref 0)"]);
  });
});

describe("capture() and restore()", () => {
  test("put back a global of a function type", () => {
    const { added, exports, globals } = start(bytesOf("references"));
    const [name = ""] = globals.map((each) => each.name);
    const global = exports[name] as WebAssembly.Global;
    added("capture");
    expect(global.value).toBeNull();
    outcome(exports as never, "f", 0);
    expect(global.value).toBeFunction();
    expect(added("restore")).toBe(0);
    expect(global.value).toBeNull();
  });
});
