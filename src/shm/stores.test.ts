import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { type Libc, systemLibc } from "../base/libc.ts";
import { LIMITS } from "../base/limits.ts";
import { markOfRegion } from "./place.ts";
import { bytes } from "./sealed.testing.ts";
import { createUnnamedFile, SharedFile } from "./shared-file.ts";
import { StoreNames } from "./store-names.ts";
import { Stores } from "./stores.ts";

const libc = systemLibc();

function fileOf(): SharedFile {
  const file = libc && SharedFile.create(libc);
  if (file === undefined) throw new Error("Cannot test this elsewhere than on Linux");
  return file;
}

/** Locks are those of a process, so that these two cannot see each other's. */
function sharing(file: SharedFile, serial: number): Stores {
  const stores = new Stores();
  expect(stores.share({ file, serial })).toBe(true);
  return stores;
}

describe("Stores", () => {
  test("of one file see the same data, each VM id its own", () => {
    const file = fileOf();
    const places = new StoreNames(file).name(["a", "b"]);
    const [one, two] = [sharing(file, 1), sharing(file, 2)];
    for (const stores of [one, two]) stores.name(places);
    one.acquire("a").store.set(bytes("k"), bytes("v"), 0);
    expect(two.acquire("a").store.get(bytes("k"))?.value).toEqual(bytes("v"));
    expect(two.acquire("b").store.get(bytes("k"))).toBeUndefined();
    expect(two.find("a")?.number).toBe(places["a"]?.number);
  });

  test("keep what is named when nobody uses it, and hold what is in use when it is not", () => {
    const file = fileOf();
    const names = new StoreNames(file);
    const held: number[] = [];
    const watched = Object.assign(file, {
      hold: (mark: number) => held.push(mark) > 0,
      unhold: (mark: number) => void held.splice(held.indexOf(mark), 1),
    });
    const stores = sharing(watched, 1);
    stores.name(names.name(["a"]));
    stores.acquire("a").store.set(bytes("k"), bytes("v"), 0);
    stores.release("a");
    expect(stores.acquire("a").store.get(bytes("k"))?.value).toEqual(bytes("v"));
    stores.name({});
    expect(held).toEqual([markOfRegion(0)]);
    stores.release("a");
    expect(held).toEqual([]);
    expect(stores.find("a")).toBeUndefined();
  });
});

describe("Stores, errors", () => {
  test("refuse what cannot be mapped, and a serial number that somebody has", () => {
    const file = fileOf();
    const places = new StoreNames(file).name(["a"]);
    const stores = sharing(Object.assign(file, { map: () => undefined }), 1);
    stores.name(places);
    expect(() => stores.acquire("a").store).toThrow("Cannot map the shared store");
    const taken = Object.assign(file, { claim: () => false });
    expect(new Stores().share({ file: taken, serial: 1 })).toBe(false);
  });
});

describe("Stores without shared memory", () => {
  test("are private, and dropped with their last user", () => {
    const stores = new Stores();
    const first = stores.acquire("a");
    stores.acquire("a").store.set(bytes("k"), bytes("v"), 0);
    stores.release("a");
    expect(first.store.get(bytes("k"))?.value).toEqual(bytes("v"));
    stores.release("a");
    expect(stores.find("a")).toBeUndefined();
    const next = stores.acquire("a");
    expect(next.store.get(bytes("k"))).toBeUndefined();
    expect(next.number).not.toBe(first.number);
  });
});

describe("StoreNames", () => {
  test("clears what no configuration names and no process holds", async () => {
    const file = fileOf();
    const names = new StoreNames(file);
    const { a } = names.name(["a", "b"]);
    const memory = file.map(0, LIMITS.sharedStoreBytes);
    const words = new Int32Array(memory ?? new ArrayBuffer(4));
    words[7] = 42;
    const child = holder(file, 0);
    await child.ready;
    names.keepOnly(["b"]);
    names.sweep();
    expect(words[7]).toBe(42); // The other process holds it.
    expect(names.name(["a", "b"])["a"]).toEqual(a as never);
    names.keepOnly(["b"]);
    await child.end();
    names.sweep();
    expect([words[7], names.size]).toEqual([0, 1]);
    // The same region, and another number: ids of its queues mean nothing any more.
    expect(names.name(["c"])["c"]).toEqual({ region: 0, number: 3 });
  });

  test("keeps what is named again before it was cleared", () => {
    const names = new StoreNames(fileOf());
    const places = names.name(["a"]);
    names.keepOnly([]);
    expect(names.name(["a"])).toEqual(places);
    names.sweep(); // Nobody holds it yet: it is being prepared.
    expect(names.size).toBe(1);
  });

  test("refuses more than LIMITS.sharedStoresMax, and a file that cannot grow", () => {
    const names = new StoreNames(fileOf());
    const many = Array.from({ length: LIMITS.sharedStoresMax }, (_, n) => `vm${n}`);
    expect(Object.keys(names.name(many))).toHaveLength(many.length);
    expect(() => names.name(["more"])).toThrow(
      'Cannot share data of namespace "more": there are 4096 namespaces already',
    );
    const full = { ...(libc as Libc), ftruncate: () => -1 };
    const none = new StoreNames(SharedFile.create(full) as SharedFile);
    expect(() => none.name(["a"])).toThrow("there is no memory for it");
  });

  test("loses no region by a refusal", () => {
    let hasRoom = false;
    const file = fileOf();
    const names = new StoreNames(
      Object.assign(file, { grow: () => hasRoom, clear: () => true, isHeldElsewhere: () => false }),
    );
    for (let n = 0; n < 3; n++) expect(() => names.name(["a"])).toThrow("no memory");
    hasRoom = true;
    expect(names.name(["a", "b"])).toMatchObject({ a: { region: 0 }, b: { region: 1 } });
    names.keepOnly([]);
    names.sweep();
    // What the file has already needs no growing.
    hasRoom = false;
    expect(names.name(["c", "d"])).toMatchObject({ c: { region: 1 }, d: { region: 0 } });
    expect(() => names.name(["e"])).toThrow("no memory");
  });
});

describe("SharedFile", () => {
  test("is a file without a name where the kernel has none in memory", () => {
    const old = { ...(libc as Libc), memfd_create: () => -1 };
    const file = SharedFile.create(old);
    expect(file?.grow(4096)).toBe(true);
    const [one, two] = [file?.map(0, 4096), file?.map(0, 4096)];
    new Uint8Array(one ?? []).fill(7);
    expect(new Uint8Array(two ?? [])[4095]).toBe(7);
    expect(createUnnamedFile(`${tmpdir()}/not-there`)).toBeUndefined();
  });

  test("says so when it cannot be had", () => {
    const lockless = { ...(libc as Libc), fcntl: () => -1 };
    expect(SharedFile.create(lockless)).toBeUndefined();
    const unmappable = { ...(libc as Libc), mmap: () => -1 };
    expect(SharedFile.create(unmappable)?.map(0, 4096)).toBeUndefined();
  });

  test("knows the living from the dead", async () => {
    const file = fileOf();
    expect(file.isHeldElsewhere(markOfRegion(5))).toBe(false);
    const child = holder(file, 5);
    await child.ready;
    expect(file.isHeldElsewhere(markOfRegion(5))).toBe(true);
    expect(file.claim(markOfRegion(5))).toBe(false);
    await child.end();
    expect(file.isHeldElsewhere(markOfRegion(5))).toBe(false);
  });
});

/** Another process that holds a region. */
function holder(file: SharedFile, region: number) {
  const here = import.meta.dir;
  const code = `
    const { SharedFile } = await import("${here}/shared-file.ts");
    const { systemLibc } = await import("${here}/../base/libc.ts");
    const { markOfRegion } = await import("${here}/place.ts");
    systemLibc().prctl(1, 9);
    console.log(new SharedFile(3, systemLibc()).hold(markOfRegion(${region})));
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn({
    cmd: [process.execPath, "-e", code],
    stdio: ["ignore", "pipe", "inherit", file.fd],
  });
  return {
    ready: child.stdout.getReader().read(),
    async end(): Promise<void> {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
