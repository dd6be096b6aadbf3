import { describe, expect, test } from "bun:test";
import { coresOf } from "./cores.ts";

describe("coresOf()", () => {
  test.each([
    { list: "0-3", cores: { gateway: "0", load: "1", both: "0,1" } },
    { list: "2,5-6", cores: { gateway: "2", load: "5", both: "2,5" } },
    { list: "4", cores: { gateway: "4", load: "4", both: "4" } },
  ])("picks from $list", ({ list, cores }) => {
    expect(coresOf(list)).toEqual(cores);
  });
});
