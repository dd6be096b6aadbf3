import { describe, expect, test } from "bun:test";
import { coresOf, pickCores, pinned } from "./cores.ts";

describe("coresOf()", () => {
  test.each([
    { list: "0-3", cores: { gateway: "0", load: "1", both: "0,1" } },
    { list: "2,5-6", cores: { gateway: "2", load: "5", both: "2,5" } },
    { list: "4", cores: { gateway: "4", load: "4", both: "4" } },
  ])("picks from $list", ({ list, cores }) => {
    expect(coresOf(list)).toEqual(cores);
  });
});

describe("pinned()", () => {
  test("starts a command by taskset, but not for cores that it has anyway", () => {
    const { both } = pickCores();
    const quiet = ["nginx", "-q"];
    expect(pinned("none", quiet)).toEqual(["taskset", "-c", "none", ...quiet]);
    const plain = navigator.hardwareConcurrency <= 2;
    expect(pinned(both, ["nginx"])).toEqual([...(plain ? [] : ["taskset", "-c", both]), "nginx"]);
  });
});
