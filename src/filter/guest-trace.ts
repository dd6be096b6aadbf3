/**
 * Sees every call between a plugin's guests and their host, in order, and may change what comes
 * back. It stands between both, so that a plugin without one pays nothing for it.
 *
 *   host ──▶ exports() ──▶ guest ──▶ imports() ──▶ host functions
 */
export interface GuestTrace {
  /**
   * Once for each guest, before there is an instance.
   * @param modules functions by module and name
   * @param memory the guest's; there is none before its first call
   * @returns what the guest is linked with instead
   */
  imports(modules: ImportedModules, memory: () => TracedMemory): ImportedModules;
  /**
   * Once for each guest.
   * @returns what the host calls instead; names that are not there stay away
   */
  exports<T extends Readonly<Partial<Record<string, TracedFunction>>>>(functions: T): T;
}

export type ImportedModules = Readonly<Record<string, Readonly<Record<string, ImportedFunction>>>>;

export type ImportedFunction = (...args: never[]) => number | bigint | void;

/** Of 32-bit integers, as guests export them. */
export type TracedFunction = (...args: number[]) => number | undefined;

/** As much of a guest's memory as a trace needs; addresses may be any 32-bit integer. */
export interface TracedMemory {
  contains(ptr: number, byteLength: number): boolean;
  /** Borrowed; undefined when it is not all within the memory. */
  read(ptr: number, byteLength: number): Uint8Array | undefined;
  readU32(ptr: number): number | undefined;
  /** @returns false when it does not fit; nothing has been written then */
  write(ptr: number, bytes: Uint8Array): boolean;
}
