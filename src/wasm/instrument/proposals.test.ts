import { describe, expect, test } from "bun:test";
import { MODULES } from "./modules.testing.ts";
import { BOTH, FUEL, NONE, original, outcome, POLL, rewrite, start } from "./testing.ts";

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
