/** What is left of a store when processes are killed in the middle of changing it. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { systemLibc } from "../base/libc.ts";
import { LIMITS } from "../base/limits.ts";
import { SeededRandom } from "../base/random.testing.ts";
import { CHUNKS } from "./layout.ts";
import { markOfProcess } from "./place.ts";
import { bytes, isWhole } from "./sealed.testing.ts";
import { SharedFile } from "./shared-file.ts";
import { Store } from "./store.ts";

const WRITER = join(import.meta.dir, "killed-writer.testing.ts");
/** count; each is killed at another point. More with the environment's SLUICE_TEST_KILLS. */
const KILLS = Number(process.env["SLUICE_TEST_KILLS"] ?? 24);
const OWN_SERIAL = 1;
const KEYS = Array.from({ length: 200 }, (_, n) => `k${n}`);

const libc = systemLibc();

describe("Store, processes killed in it", () => {
  test("keeps every value whole, loses no count and no capacity", async () => {
    const file = libc && SharedFile.create(libc);
    if (file === undefined || !file.grow(LIMITS.sharedStoreBytes)) throw new Error("no file");
    const memory = file.map(0, LIMITS.sharedStoreBytes);
    if (memory === undefined) throw new Error("no memory");
    file.claim(markOfProcess(OWN_SERIAL));
    const isAlive = (other: number): boolean => file.isHeldElsewhere(markOfProcess(other));
    const store = new Store(memory, { serial: OWN_SERIAL, isAlive });
    const random = new SeededRandom(4);
    let counted = 0;
    let next = await start(file, 2);
    const running: Bun.Subprocess[] = [];
    for (let serial = 3; serial < KILLS + 3; serial++) {
      running.push(next);
      next = await start(file, serial);
      await Bun.sleep(random.below(30)); // Where it is killed is what varies.
      const victim = running.shift();
      victim?.kill("SIGKILL");
      await victim?.exited;
      counted = check(store, counted);
    }
    next.kill("SIGKILL");
    await next.exited;
    check(store, counted);
    drain(store);
    const { keys, usedChunks, freeChunks } = store.counts;
    expect(keys).toBe(KEYS.filter((key) => store.get(bytes(key)) !== undefined).length + 1);
    expect(usedChunks).toBe(chunksOfData(store) + 1); // And the queue's name.
    expect(usedChunks + freeChunks).toBe(CHUNKS);
  }, 1_200_000);
});

async function start(file: SharedFile, serial: number): Promise<Bun.Subprocess> {
  const child = Bun.spawn({
    cmd: [process.execPath, WRITER, String(serial), String(serial * 7919)],
    stdio: ["ignore", "pipe", "inherit", file.fd],
  });
  const first = await child.stdout.getReader().read();
  expect(Buffer.from(first.value ?? []).toString()).toBe("ready\n");
  return child;
}

/** @returns how far the counter is, which never goes back */
function check(store: Store, counted: number): number {
  for (const key of KEYS) {
    const value = store.get(bytes(key))?.value;
    if (value !== undefined) expect(isWhole(value)).toBe(true);
  }
  const now = Number(Buffer.from(store.get(bytes("n"))?.value ?? bytes("0")).toString());
  expect(now).toBeGreaterThanOrEqual(counted);
  return now;
}

function drain(store: Store): void {
  const queue = store.findQueue(bytes("q")) ?? -1;
  for (let item = store.dequeue(queue); item !== undefined; item = store.dequeue(queue)) {
    expect(isWhole(item)).toBe(true);
  }
}

/** Counted apart from the code under test: 232 bytes in the first chunk, 252 in each other one. */
function chunksOfData(store: Store): number {
  let count = 0;
  for (const key of [...KEYS, "n"]) {
    const value = store.get(bytes(key))?.value;
    if (value === undefined) continue;
    const more = Math.max(0, key.length + value.byteLength - 232);
    count += 1 + Math.ceil(more / 252);
  }
  return count;
}
