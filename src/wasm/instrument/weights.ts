import { OP, OPS, PREFIX, prefixed } from "../binary/opcodes.ts";

/** units; calling a function, whatever it does. */
export const CALL_WEIGHT = 4;
/** units on top; calling the host: it takes longer, and accounts for its own work. */
export const HOST_CALL_WEIGHT = 12;

/** How many bytes or entries a bulk operation handles for one unit, as a power of two. */
export const BULK_UNIT_BITS = 5;

const DIVIDE = 8;
const INDIRECT = 16;
/** Beside its length. High, so that polls, which know no length, lie between a few of them. */
const BULK_OPERATION = 64;

/** Operations with a length, a number of bytes or entries, as their last operand. */
export const BULK: readonly number[] = [
  OP.memoryInit,
  OP.memoryCopy,
  OP.memoryFill,
  OP.tableInit,
  OP.tableCopy,
  OP.tableFill,
  OP.tableGrow,
  OP.arrayNew,
  OP.arrayNewDefault,
  OP.arrayNewData,
  OP.arrayNewElem,
  OP.arrayFill,
  OP.arrayCopy,
  OP.arrayInitData,
  OP.arrayInitElem,
];

/** Operations that change what restoring cannot put back: tables and segments. */
export const TAINTING: readonly number[] = [
  OP.tableSet,
  OP.tableGrow,
  OP.tableFill,
  OP.tableCopy,
  OP.tableInit,
  OP.elemDrop,
  OP.dataDrop,
];

/**
 * What an instruction costs, in units of about one cheap instruction: in optimized code a unit
 * takes less than a nanosecond. Weights need not be exact, but nothing that takes long may be
 * nearly free.
 */
export const WEIGHTS: Readonly<Uint8Array> = weights();

function weights(): Uint8Array {
  const table = new Uint8Array(OPS).fill(1);
  const set = (weight: number, first: number, last = first): void => {
    table.fill(weight, first, last + 1);
  };
  set(0, OP.block);
  set(0, OP.loop);
  set(0, OP.end);
  set(2, OP.throw - 1, OP.throw + 2); // The catches and throws that are rare anyway.
  set(CALL_WEIGHT, OP.call);
  set(CALL_WEIGHT, OP.returnCall);
  for (const op of [OP.callIndirect, OP.returnCallIndirect, OP.callRef, OP.returnCallRef]) {
    set(INDIRECT, op);
  }
  set(2, 0x25, 0x3e); // table.get to the last store
  set(DIVIDE, OP.memorySize);
  set(64, OP.memoryGrow);
  set(DIVIDE, 0x6d, 0x70); // i32.div_s to i32.rem_u
  set(DIVIDE, 0x7f, 0x82); // i64
  set(DIVIDE, 0x91); // f32.sqrt
  set(DIVIDE, 0x95); // f32.div
  set(DIVIDE, 0x9f); // f64.sqrt
  set(DIVIDE, 0xa3); // f64.div
  set(DIVIDE, prefixed(PREFIX.gc, 0), prefixed(PREFIX.gc, 0x1b)); // Allocations, casts.
  set(DIVIDE, prefixed(PREFIX.numeric, 0), prefixed(PREFIX.numeric, 0x16));
  for (const op of BULK) set(BULK_OPERATION, op);
  set(2, prefixed(PREFIX.simd, 0), prefixed(PREFIX.simd, 0x1ff));
  set(DIVIDE, prefixed(PREFIX.atomic, 0), prefixed(PREFIX.atomic, 0x1ff));
  set(INDIRECT, OP.throw);
  set(INDIRECT, OP.rethrow);
  set(INDIRECT, OP.throwRef);
  return table;
}
