import { Records } from "./records.ts";

/**
 * What code does, without its arithmetic: events in the order of the bytes, each with the weight of
 * the instructions since the one before. Planning checks looks at this and not at the code again.
 *
 *   local.get 0  if  call 3  …  end      →      if +1   call 3 +0   …   end +0
 *
 * An entry: kind in the low four bits and its operand above them, weight, place in the file. The
 * place is one at which instructions may be inserted: before run, branch, call, and behind others.
 */
export const EVENT = {
  /** Nothing happens: only a place in a long straight run. */
  run: 0,
  block: 1,
  loop: 2,
  if: 3,
  else: 4,
  /** A handler inside of a block: what comes before it may have thrown anywhere. */
  catch: 5,
  /** Operand: TARGETED when something branches to this end. */
  end: 6,
  /** May go to the label that is the operand, counted from the inside. */
  branch: 7,
  /** An exception from the block that follows may go to the label that is the operand. */
  catchTo: 8,
  /** Operand: the function. */
  call: 9,
  callIndirect: 10,
  /** Control does not get here. */
  stop: 11,
} as const;

export const KIND_BITS = 4;
export const KIND_MASK = (1 << KIND_BITS) - 1;

export const TARGETED = 1;

/** Set in the kind of an event whose arm gets a check of its own; found while planning. */
export const CHECKED = 1 << 30;

/** What is to be changed in the code. An entry: place in the file, kind, bytes replaced. */
export const EDIT = {
  /** Unreachable code: nothing that is not executed can be misunderstood by the engine. */
  drop: 0,
  taint: 1,
  /** Charges by the length on the stack. */
  charge: 2,
  /** memory.size and memory.grow */
  size: 3,
  grow: 4,
} as const;

/** Bodies of a module's own functions, as found. */
export interface ScannedCode {
  readonly count: number;
  readonly events: Records;
  readonly edits: Records;
  /** By function, without imported ones. One entry more says where the last one ends. */
  readonly firstEvent: Int32Array;
  readonly firstEdit: Int32Array;
  /** Places in the file: first byte of the locals, of the code, first byte behind it. */
  readonly localsAt: Int32Array;
  readonly codeAt: Int32Array;
  readonly codeEnd: Int32Array;
  /** Locals and parameters. */
  readonly locals: Int32Array;
  /** 1: something in it catches exceptions. */
  readonly catches: Uint8Array;
  /** Sum of the weights of all events. */
  readonly weight: Int32Array;
}

/** @param bytes of all bodies: a compiler's code has an event every nine */
export function emptyScan(count: number, bytes: number): ScannedCode {
  return {
    count,
    events: new Records(bytes / 8),
    edits: new Records(bytes / 1024),
    firstEvent: new Int32Array(count + 1),
    firstEdit: new Int32Array(count + 1),
    localsAt: new Int32Array(count),
    codeAt: new Int32Array(count),
    codeEnd: new Int32Array(count),
    locals: new Int32Array(count),
    catches: new Uint8Array(count),
    weight: new Int32Array(count),
  };
}
