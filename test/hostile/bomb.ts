/** What bombs are made of: see size-bombs.ts and endless-bombs.ts. */
import { body, name, type Part, repeated, section } from "../support/wasm-bytes.ts";
import { signature, u32, vec, wasm } from "../support/wasm-bytes.ts";

export interface Bomb {
  readonly name: string;
  readonly make: () => Uint8Array<ArrayBuffer>;
  /**
   * refused: with a ModuleError.
   * ends: its export "run" comes back by itself; stops: it runs until its fuel is gone.
   */
  readonly fate: "refused" | "ends" | "stops";
}

export const I32 = 0x7f;
export const VOID = 0x40;
export const END = 0x0b;
export const NOP = 0x01;
export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const BR = 0x0c;
export const CALL = 0x10;
export const DROP = 0x1a;
export const ZERO = [0x41, 0];
export const NOTHING = signature([]);
export const RUN = section(7, vec([[name("run"), 0, 0]]));

/** Functions of type () -> (), the first of them exported as "run". */
export function program(
  bodies: readonly Part[],
  ...more: readonly Part[]
): Uint8Array<ArrayBuffer> {
  const types = bodies.map(() => 0);
  return wasm(
    section(1, vec([NOTHING])),
    section(3, vec(types)),
    RUN,
    more,
    section(10, vec(bodies)),
  );
}

/** The same with sections between the functions and the export. */
export function programWith(
  middle: readonly Part[],
  ...code: readonly Part[]
): Uint8Array<ArrayBuffer> {
  return wasm(
    section(1, vec([NOTHING])),
    section(3, vec([0])),
    middle,
    RUN,
    section(10, vec([body(code)])),
  );
}

export function many(count: number, part: Part): Part {
  return [u32(count), repeated(part, count)];
}

export const MEMORY = section(5, vec([[1, 1, 16]]));
