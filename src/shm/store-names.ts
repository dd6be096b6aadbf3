import { LIMITS } from "../base/limits.ts";
import { type Place, type Places, markOfRegion, offsetOf, STORE_NUMBER_MAX } from "./place.ts";
import type { SharedFile } from "./shared-file.ts";

/**
 * The master's list of which VM id has which region of the shared file.
 *
 *   named by a configuration ──keepOnly() without it──▶ retired ──no process holds it──▶ cleared
 *            ▲                                            │
 *            └───────────── named again, as it is ────────┘
 */
export class StoreNames {
  readonly #file: SharedFile;
  readonly #places = new Map<string, Place>();
  readonly #retired = new Set<string>();
  /** Regions that were used and are zeros again. */
  readonly #free: number[] = [];
  #regions = 0;
  #number = 0;

  constructor(file: SharedFile) {
    this.#file = file;
  }

  /** How many there are, retired ones included. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Places for the stores of a configuration, known ones and new ones.
   * @throws RangeError above LIMITS.sharedStoresMax, or without memory
   */
  name(vmIds: Iterable<string>): Places {
    const places: Record<string, Place> = {};
    for (const vmId of vmIds) {
      this.#retired.delete(vmId);
      places[vmId] = this.#places.get(vmId) ?? this.#add(vmId);
    }
    return places;
  }

  /** The configuration with these serves; the others end when no process uses them any more. */
  keepOnly(vmIds: Iterable<string>): void {
    const kept = new Set(vmIds);
    for (const vmId of this.#places.keys()) if (!kept.has(vmId)) this.#retired.add(vmId);
  }

  /** Clears what is retired and not used; call it from time to time. */
  sweep(): void {
    for (const vmId of this.#retired) {
      const place = this.#places.get(vmId);
      if (place === undefined || this.#file.isHeldElsewhere(markOfRegion(place.region))) continue;
      this.#retired.delete(vmId);
      this.#places.delete(vmId);
      // Where a file system cannot do that, the region is not used again.
      const isCleared = this.#file.clear(offsetOf(place.region), LIMITS.sharedStoreBytes);
      if (isCleared) this.#free.push(place.region);
    }
  }

  #add(vmId: string): Place {
    const region = this.#free.at(-1) ?? this.#regions;
    const place = { region, number: ++this.#number };
    if (region >= LIMITS.sharedStoresMax || place.number >= STORE_NUMBER_MAX / 2) {
      throw new RangeError(
        `Cannot share data of namespace "${vmId}": there are ${LIMITS.sharedStoresMax} ` +
          "namespaces already; let plugins share some by allow.shared_data, or restart",
      );
    }
    if (region === this.#regions) {
      if (!this.#file.grow(offsetOf(region + 1))) {
        throw new RangeError(`Cannot share data of namespace "${vmId}": there is no memory for it`);
      }
      this.#regions++;
    }
    this.#free.pop();
    this.#places.set(vmId, place);
    return place;
  }
}
