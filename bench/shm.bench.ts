/**
 * Question: what do a get and a set of shared data cost, against a map that each worker has of its
 * own, and against another process that is busy in the same store?
 *
 *   private   memory of this process alone
 *   shared    a file that is mapped, as workers have it
 *   crowded   the same while another process works in the store without a pause
 *   map       a Map from text to bytes
 *
 * Keys are those of a rate limiter: 1024 of some 40 bytes, with values of 16.
 */
import { bench, do_not_optimize } from "mitata";
import { systemLibc } from "../src/base/libc.ts";
import { LIMITS } from "../src/base/limits.ts";
import { markOfProcess } from "../src/shm/place.ts";
import { SharedFile } from "../src/shm/shared-file.ts";
import { Store } from "../src/shm/store.ts";
import { measure } from "./measure.ts";

export const cases = ["private", "shared", "crowded", "map"] as const;

const KEYS = Array.from({ length: 1024 }, (_, n) =>
  new TextEncoder().encode(`limit:route-${n % 7}:192.168.${n % 250}.${n}:minute`),
);
const VALUE = new Uint8Array(16).fill(7);
const LARGE = new Uint8Array(64 * 1024).fill(7);

function openShared(fd?: number): { file: SharedFile; store: Store } {
  const libc = systemLibc();
  const isFirst = fd === undefined;
  const file = libc && (isFirst ? SharedFile.create(libc) : new SharedFile(fd, libc));
  if (file === undefined) throw new Error("Cannot measure elsewhere than on Linux");
  if (isFirst && !file.grow(LIMITS.sharedStoreBytes)) throw new Error("Cannot measure: no memory");
  const memory = file.map(0, LIMITS.sharedStoreBytes);
  const serial = isFirst ? 1 : 2;
  if (memory === undefined || !file.claim(markOfProcess(serial))) throw new Error("No store");
  const isAlive = (other: number): boolean => file.isHeldElsewhere(markOfProcess(other));
  return { file, store: new Store(memory, { serial, isAlive }) };
}

function openPrivate(): Store {
  const memory = new ArrayBuffer(LIMITS.sharedStoreBytes);
  return new Store(memory, { serial: 1, isAlive: () => false });
}

/** @throws Error when a store does not hand back what was set */
export function check(): void {
  for (const store of [openPrivate(), openShared().store]) {
    for (const key of KEYS) store.set(key, VALUE, 0);
    const wrong = KEYS.filter((key) => store.get(key)?.value.byteLength !== VALUE.byteLength);
    if (wrong.length > 0) throw new Error(`Cannot trust this benchmark: ${wrong.length} are wrong`);
  }
}

function declareMap(): void {
  const map = new Map<string, { value: Uint8Array; cas: number }>();
  const keys = KEYS.map((key) => Buffer.from(key));
  let turn = 0;
  let cas = 0;
  const next = (): string => (keys[turn++ & 1023] ?? Buffer.alloc(0)).toString("latin1");
  for (const key of keys) map.set(key.toString("latin1"), { value: VALUE, cas: ++cas });
  bench("get", () => do_not_optimize(map.get(next())));
  bench("set", () => map.set(next(), { value: new Uint8Array(VALUE), cas: ++cas }));
}

function declareStore(store: Store): void {
  let turn = 0;
  const next = (): Uint8Array => KEYS[turn++ & 1023] ?? VALUE;
  for (const key of KEYS) store.set(key, VALUE, 0);
  bench("get", () => do_not_optimize(store.get(next())));
  bench("set", () => do_not_optimize(store.set(next(), VALUE, 0)));
  bench("set 64 KiB", () => do_not_optimize(store.set(VALUE, LARGE, 0)));
  const queue = store.makeQueue(VALUE) ?? 0;
  bench("enqueue and dequeue", () => {
    store.enqueue(queue, VALUE);
    do_not_optimize(store.dequeue(queue));
  });
}

if (import.meta.main) {
  const which = Bun.argv[2] ?? cases[0];
  if (which === "neighbour") {
    const { store } = openShared(3);
    systemLibc()?.prctl(1, 9); // It ends with who has started it.
    for (let turn = 0; ; turn++) store.set(KEYS[turn & 1023] ?? VALUE, VALUE, 0);
  }
  check();
  if (which === "map") declareMap();
  else if (which === "private") declareStore(openPrivate());
  else {
    const { file, store } = openShared();
    const command = [process.execPath, import.meta.path, "neighbour"];
    if (which === "crowded") {
      Bun.spawn({ cmd: command, stdio: ["ignore", "inherit", "inherit", file.fd] });
    }
    declareStore(store);
  }
  await measure();
  process.exit();
}
