import { describe, expect, test } from "bun:test";
import { HeaderList } from "./headers.ts";

function sample(): HeaderList {
  return HeaderList.from([
    ["Host", "a.b"],
    ["Set-Cookie", "x=1"],
    ["X-One", "1"],
    ["set-cookie", "y=2"],
  ]);
}

describe("HeaderList", () => {
  test("keeps order, repeats and spelling", () => {
    expect([...sample()]).toEqual([
      ["Host", "a.b"],
      ["Set-Cookie", "x=1"],
      ["X-One", "1"],
      ["set-cookie", "y=2"],
    ]);
    expect(sample().keyAt(1)).toBe("set-cookie");
    expect(sample().nameAt(1)).toBe("Set-Cookie");
  });

  test("looks up without regard to case: first value, all values", () => {
    const list = sample();
    expect(list.get("set-cookie")).toBe("x=1");
    expect(list.getAll("set-cookie")).toEqual(["x=1", "y=2"]);
    expect(list.has("x-one")).toBe(true);
    expect(list.get("nothing")).toBeUndefined();
    expect(list.getAll("nothing")).toEqual([]);
  });

  test("set() replaces the first line of a name and drops the others", () => {
    const list = sample();
    list.set("SET-COOKIE", "z=3");
    expect([...list]).toEqual([
      ["Host", "a.b"],
      ["Set-Cookie", "z=3"],
      ["X-One", "1"],
    ]);
    list.set("X-New", "n");
    expect(list.valueAt(3)).toBe("n");
  });

  test("remove() drops every line of a name and says whether there was one", () => {
    const list = sample();
    expect(list.remove("set-cookie")).toBe(true);
    expect(list.remove("set-cookie")).toBe(false);
    expect(list.size).toBe(2);
  });

  test("version changes with every mutation, and with nothing else", () => {
    const list = sample();
    const seen = [list.version];
    list.get("host");
    expect(list.version).toBe(seen[0] as number);
    for (const change of [
      () => list.append("a", "1"),
      () => list.set("a", "2"),
      () => list.remove("a"),
      () => list.clear(),
    ]) {
      change();
      expect(seen).not.toContain(list.version);
      seen.push(list.version);
    }
  });

  test("clone() shares nothing", () => {
    const list = sample();
    const copy = list.clone();
    copy.set("host", "other");
    expect(list.get("host")).toBe("a.b");
    expect(copy.get("host")).toBe("other");
  });
});
