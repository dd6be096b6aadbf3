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

  test("clone() shares nothing", () => {
    const list = sample();
    const copy = list.clone();
    copy.set("host", "other");
    expect(list.get("host")).toBe("a.b");
    expect(copy.get("host")).toBe("other");
  });
});

function received(): HeaderList {
  const text = "Host: a\r\nAccept: */*\r\nConnection: close\r\n";
  const list = new HeaderList();
  for (const line of ["Host: a", "Accept: */*", "Connection: close"]) {
    const start = text.indexOf(line);
    list.appendFrom(headerName(line.split(":")[0] ?? ""), text, start, start + line.length);
  }
  return list;
}

describe("HeaderLines", () => {
  const more = HeaderList.from([["X-Real-IP", "192.0.2.1"]]).share();

  test("constructor() and share() give lists that go apart when one is changed", () => {
    const first = received();
    const second = new HeaderList(first.share());
    const third = first.clone();
    first.append("X-A", "1");
    second.set("accept", "b");
    third.remove("host");
    expect(first.toText(0)).toBe("\r\nHost: a\r\nAccept: */*\r\nConnection: close\r\nX-A: 1");
    expect(second.toText(0)).toBe("\r\nHost: a\r\nAccept: b\r\nConnection: close");
    expect(third.toText(0)).toBe("\r\nAccept: */*\r\nConnection: close");
    expect([first.isChecked, second.isChecked, third.isChecked]).toEqual([false, false, true]);
  });

  test("removeRoles(), appendAll() and toText() do the same as on a list of its own", () => {
    const shared = received().share();
    for (const roles of [ROLE.host, ROLE.connection, ROLE.host | ROLE.connection, ROLE.host]) {
      for (const without of [0, ROLE.connection, ROLE.host]) {
        const [own, other] = [received(), new HeaderList(shared)];
        for (const list of [own, other]) {
          const { version } = list;
          list.removeRoles(roles);
          list.appendAll(more);
          expect(list.version).toBeGreaterThan(version);
        }
        expect(other.toText(without)).toBe(own.toText(without));
        expect([...other]).toEqual([...own]);
        expect([other.roles, other.isChecked]).toEqual([own.roles, own.isChecked]);
      }
    }
  });

  test("appendAll() on a list of its own does not change the lines that were given", () => {
    const list = received();
    list.appendAll(more);
    list.set("x-real-ip", "192.0.2.2");
    expect(more.lines.map((line) => line.value)).toEqual(["192.0.2.1"]);
    expect(list.get("x-real-ip")).toBe("192.0.2.2");
  });
});
