import { describe, expect, test } from "bun:test";
import { headerName, ROLE } from "./header-name.ts";
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

  test("byteLength counts names and values through every change", () => {
    const list = sample();
    const text = "Accept: */*\r\nX-Two: 22";
    list.appendFrom(headerName("Accept"), text, 0, 11);
    list.appendFrom(headerName("X-Two"), text, 13, 22);
    const counted = (): number =>
      [...list].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    const changes = [
      () => list.set("x-two", "longer than before"),
      () => list.set("set-cookie", "z"),
      () => list.remove("accept"),
      () => list.removeRoles(ROLE.host),
      () => list.appendChecked(headerName("Date"), "now"),
      () => list.setChecked(headerName("date"), "later"),
      () => list.clear(),
    ];
    expect(list.byteLength).toBe(counted());
    for (const change of changes) {
      change();
      expect(list.byteLength).toBe(counted());
      expect(list.clone().byteLength).toBe(counted());
    }
  });

  test("toText() sends received lines as they came, and others as they were set", () => {
    const text = "A: 1\r\nB: 2\r\nC: 3\r\nD: 4";
    const list = new HeaderList();
    for (const [at, name] of ["A", "B", "C", "D"].entries()) {
      list.appendFrom(headerName(name), text, at * 6, at * 6 + 4);
    }
    expect(list.toText(0)).toBe(`\r\n${text}`);
    list.appendFrom(headerName("Host"), "Host: b", 0, 7);
    list.set("b", "22");
    list.remove("c");
    list.append("Date", "now");
    expect(list.toText(0)).toBe("\r\nA: 1\r\nB: 22\r\nD: 4\r\nHost: b\r\nDate: now");
    expect(list.toText(ROLE.host | ROLE.date)).toBe("\r\nA: 1\r\nB: 22\r\nD: 4");
    expect(new HeaderList().toText(0)).toBe("");
  });

  test("isChecked is lost with the first line that nobody has checked", () => {
    const list = new HeaderList();
    list.appendFrom(headerName("A"), "A: 1", 0, 4);
    list.setChecked(headerName("b"), "2");
    expect(list.isChecked).toBe(true);
    expect(list.clone().isChecked).toBe(true);
    list.set("b", "3");
    expect(list.isChecked).toBe(false);
    expect(list.clone().isChecked).toBe(false);
    list.clear();
    expect(list.isChecked).toBe(true);
  });

  test("clone() shares nothing", () => {
    const list = sample();
    const copy = list.clone();
    copy.set("host", "other");
    expect(list.get("host")).toBe("a.b");
    expect(copy.get("host")).toBe("other");
  });
});
