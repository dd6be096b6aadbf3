import { LIMITS } from "../base/limits.ts";
import {
  type Place,
  type Places,
  markOfProcess,
  markOfRegion,
  offsetOf,
  STORE_NUMBER_MAX,
} from "./place.ts";
import type { SharedFile } from "./shared-file.ts";
import { StoreRefusal } from "./store-refusal.ts";
import { Store, type StoreUser } from "./store.ts";

/** What a process needs to take part in the stores of its master. */
export interface SharedMemory {
  readonly file: SharedFile;
  /** Of this process, and of no other one ever. */
  readonly serial: number;
}

/** One VM id's store as this process knows it; mapped when it is first asked for. */
export class NamedStore {
  readonly vmId: string;
  /** Of the store, in every process. */
  readonly number: number;
  readonly #open: () => Store;
  #store: Store | undefined;

  constructor(vmId: string, number: number, open: () => Store) {
    this.vmId = vmId;
    this.number = number;
    this.#open = open;
  }

  /** @throws StoreRefusal SHARED_STORE_UNAVAILABLE */
  get store(): Store {
    return (this.#store ??= this.#open());
  }

  /** Undefined as long as this process has not used it. */
  get opened(): Store | undefined {
    return this.#store;
  }
}

interface Known {
  readonly named: NamedStore;
  /** Undefined: in memory of this process alone. */
  readonly place: Place | undefined;
  uses: number;
}

/**
 * The stores of one process by VM id: those that its master has named, in shared memory; and until
 * it has, or where there is none, private ones that live as long as somebody uses them.
 */
export class Stores {
  readonly #known = new Map<string, Known>();
  readonly #regions = new Map<number, Store>();
  #memory: SharedMemory | undefined;
  #user: StoreUser = { serial: 1, isAlive: () => false };
  #places: Places = {};
  #privateNumber = STORE_NUMBER_MAX;

  /** @returns false when another process has the same serial number, or the kernel refuses */
  share(memory: SharedMemory): boolean {
    const { file, serial } = memory;
    if (!file.claim(markOfProcess(serial))) return false;
    this.#memory = memory;
    const isAlive = (other: number): boolean =>
      other === serial || file.isHeldElsewhere(markOfProcess(other));
    this.#user = { serial, isAlive };
    return true;
  }

  /** Of this process. */
  get serial(): number {
    return this.#user.serial;
  }

  /** Whose store is where, from now on. What is in use stays where it is. */
  name(places: Places): void {
    this.#places = places;
    for (const [vmId, { uses, place }] of this.#known) {
      if (uses === 0 && !isSame(place, places[vmId])) this.#forget(vmId);
    }
    for (const [vmId, place] of Object.entries(places)) {
      if (!this.#known.has(vmId)) this.#know(vmId, place);
    }
  }

  acquire(vmId: string): NamedStore {
    const known = this.#known.get(vmId) ?? this.#know(vmId, this.#places[vmId]);
    known.uses++;
    return known.named;
  }

  release(vmId: string): void {
    const known = this.#known.get(vmId);
    if (known === undefined || --known.uses > 0) return;
    if (known.place === undefined || !isSame(known.place, this.#places[vmId])) this.#forget(vmId);
  }

  /** A store that the configuration names, or that somebody here uses. */
  find(vmId: string): NamedStore | undefined {
    return this.#known.get(vmId)?.named;
  }

  /** All that find() finds. */
  *all(): Generator<NamedStore> {
    for (const { named } of this.#known.values()) yield named;
  }

  #know(vmId: string, wanted: Place | undefined): Known {
    const place = this.#memory === undefined ? undefined : wanted;
    if (place !== undefined) this.#memory?.file.hold(markOfRegion(place.region));
    const number = place?.number ?? --this.#privateNumber;
    const open = (): Store => (place === undefined ? this.#private() : this.#mapped(place.region));
    const known = { named: new NamedStore(vmId, number, open), place, uses: 0 };
    this.#known.set(vmId, known);
    return known;
  }

  #forget(vmId: string): void {
    const { place } = this.#known.get(vmId) ?? {};
    this.#known.delete(vmId);
    if (place !== undefined) this.#memory?.file.unhold(markOfRegion(place.region));
  }

  #private(): Store {
    return new Store(new ArrayBuffer(LIMITS.sharedStoreBytes), this.#user);
  }

  /** A mapping is kept: when its region has another store one day, it shows that one. */
  #mapped(region: number): Store {
    const known = this.#regions.get(region);
    if (known !== undefined) return known;
    const memory = this.#memory?.file.map(offsetOf(region), LIMITS.sharedStoreBytes);
    if (memory === undefined) throw new StoreRefusal("SHARED_STORE_UNAVAILABLE", NO_ROOM);
    const store = new Store(memory, this.#user);
    this.#regions.set(region, store);
    return store;
  }
}

const NO_ROOM =
  `Cannot map the shared store: the system has no ${LIMITS.sharedStoreBytes} bytes of address ` +
  "space for it; raise the limit on address space, or use fewer plugins";

function isSame(a: Place | undefined, b: Place | undefined): boolean {
  return a?.number === b?.number && a?.region === b?.region;
}
