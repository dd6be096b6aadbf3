import { LIMITS } from "../base/limits.ts";

/** Where the store of a VM id is, as a master tells its workers. */
export interface Place {
  /** Which stretch of the file, from 0 up. */
  readonly region: number;
  /** Never given to another store, so that a queue's id never means another queue. From 1 up. */
  readonly number: number;
}

export type Places = Readonly<Record<string, Place>>;

/** Numbers of stores are below; a queue's id has 7 bits more. */
export const STORE_NUMBER_MAX = 2 ** 24;

/** Marks of a SharedFile: who is alive, and who uses which region. */
export function markOfProcess(serial: number): number {
  return serial;
}

export function markOfRegion(region: number): number {
  return 2 ** 32 + region;
}

export function offsetOf(region: number): number {
  return region * LIMITS.sharedStoreBytes;
}
