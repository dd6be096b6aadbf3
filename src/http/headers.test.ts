import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../base/random.testing.ts";
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

  test("appendAll() of other lines is another sum", () => {
    const shared = received().share();
    const others = HeaderList.from([["X-Real-IP", "192.0.2.2"]]).share();
    for (const each of [more, more, others, more]) {
      const list = new HeaderList(shared);
      list.appendAll(each);
      expect(list.get("x-real-ip")).toBe(each.lines[0]?.value);
      expect(list.toText(0)).toEndWith(`\r\nX-Real-IP: ${each.lines[0]?.value}`);
    }
  });

  test("appendAll() on a list of its own does not change the lines that were given", () => {
    const list = received();
    list.appendAll(more);
    list.set("x-real-ip", "192.0.2.2");
    expect(more.lines.map((line) => line.value)).toEqual(["192.0.2.1"]);
    expect(list.get("x-real-ip")).toBe("192.0.2.2");
  });

  test("appendChecked() keeps a line that is added again, whatever else is done", () => {
    const random = new SeededRandom(51);
    const shared = received().share();
    const names = ["X-A", "x-a", "Host", "X-B"].map(headerName);
    const values = ["1", "2", "long".repeat(100)];
    for (let round = 0; round < 2000; round++) {
      const [own, other] = [received(), new HeaderList(shared)];
      for (let step = random.below(6); step > 0; step--) {
        const [name, value] = [random.pick(names), random.pick(values)];
        const act = random.pick(["append", "append", "append", "again", "set", "remove", "roles"]);
        for (const list of [own, other]) {
          if (act === "append") list.appendChecked(name, value);
          else if (act === "set") list.setChecked(name, value);
          else if (act === "remove") list.remove(name.key);
          else if (act === "roles") list.removeRoles(ROLE.host);
          else if (!list.appendAgain(name.text, value)) list.appendChecked(name, value);
        }
      }
      expect([...other]).toEqual([...own]);
      expect(other.toText(0)).toBe(own.toText(0));
      expect([other.byteLength, other.roles]).toEqual([own.byteLength, own.roles]);
      expect(other.isChecked).toBe(true);
    }
    expect(new HeaderList(shared).toText(0)).toBe(received().toText(0));
  });

  test("append() is not taken for a checked line that stands there already", () => {
    const shared = received().share();
    for (let n = 0; n < 3; n++) new HeaderList(shared).appendChecked(headerName("X-A"), "1");
    const list = new HeaderList(shared);
    list.append("X-A", "1");
    expect(list.isChecked).toBe(false);
  });

  test("appendAgain() knows the last line that was added to the same lines", () => {
    const shared = received().share();
    const again = (name: string, value: string): boolean =>
      new HeaderList(shared).appendAgain(name, value);
    expect(again("X-A", "1")).toBe(false);
    new HeaderList(shared).appendChecked(headerName("X-A"), "1");
    expect(again("X-A", "1")).toBe(true);
    const spellings = [again("x-a", "1"), again("X-A", "2"), again("X-A", "")];
    expect(spellings).toEqual([false, false, false]);
    expect(received().appendAgain("X-A", "1")).toBe(false);
    new HeaderList(shared).appendChecked(headerName("X-B"), "1");
    expect([again("X-A", "1"), again("X-B", "1")]).toEqual([false, true]);
    // Somebody has to look at these each time: in some maps they stand for something else.
    for (const name of ["Host", "content-length", "Upgrade"]) {
      new HeaderList(shared).appendChecked(headerName(name), "1");
      expect(again(name, "1")).toBe(false);
    }
  });

  test("appendChecked() keeps 16 lines, and none that is long", () => {
    const shared = received().share();
    const name = headerName("X-A");
    /** Of the last of many lists that the same was added to: which lines were known. */
    const kept = (value: string, count: number): boolean[] => {
      let known: boolean[] = [];
      for (let n = 0; n < 2 + count; n++) {
        const list = new HeaderList(shared);
        known = Array.from({ length: count }, () => {
          const isKnown = list.appendAgain(name.text, value);
          if (!isKnown) list.appendChecked(name, value);
          return isKnown;
        });
      }
      return known;
    };
    expect(kept("1", 18)).toEqual([...Array<boolean>(16).fill(true), false, false]);
    expect([...kept("b".repeat(256), 1), ...kept("c".repeat(257), 1)]).toEqual([true, false]);
  });
});
