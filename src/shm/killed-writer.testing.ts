/**
 * A process that works in a store until it is killed, for tests: it sets values that contain their
 * own checksum, raises a counter by compare-and-swap, and puts items into a queue and takes some
 * out. Its file is descriptor 3.
 *
 *   bun killed-writer.testing.ts SERIAL SEED
 */
import { systemLibc } from "../base/libc.ts";
import { LIMITS } from "../base/limits.ts";
import { SeededRandom } from "../base/random.testing.ts";
import { markOfProcess } from "./place.ts";
import { SharedFile } from "./shared-file.ts";
import { StoreRefusal } from "./store-refusal.ts";
import { Store } from "./store.ts";
import { bytes, sealed } from "./sealed.testing.ts";

if (import.meta.main) {
  const libc = systemLibc();
  const serial = Number(Bun.argv[2]);
  const random = new SeededRandom(Number(Bun.argv[3]));
  if (libc === undefined) throw new Error("Cannot test this elsewhere than on Linux");
  libc.prctl(1, 9); // It ends with the test that has started it.
  const file = new SharedFile(3, libc);
  const memory = file.map(0, LIMITS.sharedStoreBytes);
  if (memory === undefined || !file.claim(markOfProcess(serial))) throw new Error("Cannot start");
  const isAlive = (other: number): boolean => file.isHeldElsewhere(markOfProcess(other));
  const store = new Store(memory, { serial, isAlive });
  patiently(() => store.makeQueue(bytes("q")));
  const queue = 0; // The first one.
  process.stdout.write("ready\n");
  for (;;) patiently(() => step(store, queue, random)); // Until it is killed.
}

/** On a machine with too few processors, another one may hold the lock for long. */
function patiently<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof StoreRefusal && error.code === "SHARED_STORE_BUSY") return undefined;
    throw error;
  }
}

function step(store: Store, queue: number, random: SeededRandom): void {
  const size = random.chance(90) ? random.below(300) : random.below(20_000);
  store.set(bytes(`k${random.below(200)}`), sealed(random, size), 0);
  if (random.chance(50) || store.counts.usedChunks > 50_000) store.dequeue(queue);
  else store.enqueue(queue, sealed(random, size));
  for (;;) {
    const { value = bytes("0"), cas = 0 } = store.get(bytes("n")) ?? {};
    if (store.set(bytes("n"), bytes(String(Number(Buffer.from(value)) + 1)), cas)) break;
  }
}
