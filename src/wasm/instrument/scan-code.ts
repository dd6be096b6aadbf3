import { LIMITS } from "../../base/limits.ts";
import type { ByteReader } from "../binary/byte-reader.ts";
import { CodeReader, stepsFor } from "../binary/code-reader.ts";
import { OP } from "../binary/opcodes.ts";
import { readValueType } from "../binary/value-types.ts";
import { emptyScan, EVENT, EDIT, KIND_BITS, type ScannedCode, TARGETED } from "./trace.ts";
import { BULK, TAINTING, WEIGHTS } from "./weights.ts";

export interface ScanOptions {
  /** Parameters of each of the module's own functions. */
  readonly params: readonly number[];
  /** Functions, imported ones included. */
  readonly functions: number;
  /** Told each function that code takes a reference of. */
  readonly onReference: (index: number) => void;
}

/**
 * Reads all bodies of a code section once, strictly, before the engine sees them.
 * @throws ModuleError for what is malformed, not known, or over a limit
 */
export function scanCode(reader: ByteReader, options: ScanOptions): ScannedCode {
  const start = reader.offset;
  const count = reader.count("bodies");
  if (count !== options.params.length) {
    throw reader.malformed(`${count} bodies of ${options.params.length} functions`, start);
  }
  const scan = emptyScan(count, reader.end - reader.offset);
  const scanner = new BodyScanner(reader.bytes, scan, options);
  let localsTotal = 0;
  for (let n = 0; n < count; n++) {
    const at = reader.offset;
    const size = reader.u32("size of a body");
    if (size > LIMITS.moduleBodyBytesMax) {
      throw reader.tooLarge(`${size} bytes of code in one function`, LIMITS.moduleBodyBytesMax, at);
    }
    const end = reader.offset + size;
    if (end > reader.end) throw reader.truncated(`the body of function ${n}`);
    scan.localsAt[n] = reader.offset;
    scan.codeEnd[n] = end;
    scan.locals[n] = (options.params[n] ?? 0) + readLocals(reader, end);
    localsTotal += scan.locals[n] as number;
    if (localsTotal > LIMITS.moduleLocalsTotalMax) {
      throw reader.tooLarge("more locals", LIMITS.moduleLocalsTotalMax, at);
    }
    scan.codeAt[n] = reader.offset;
    scanner.scan(reader.offset, end);
    scan.weight[n] = scanner.total;
    scan.catches[n] = scanner.catches ? 1 : 0;
    scan.firstEvent[n + 1] = scan.events.length;
    scan.firstEdit[n + 1] = scan.edits.length;
    reader.offset = end;
  }
  reader.expectDone();
  return scan;
}

function readLocals(reader: ByteReader, end: number): number {
  let locals = 0;
  const start = reader.offset;
  const groups = reader.count("groups of locals");
  if (groups > LIMITS.moduleLocalsMax) {
    throw reader.tooLarge(`${groups} groups of locals`, LIMITS.moduleLocalsMax, start);
  }
  for (let left = groups; left > 0; left--) {
    locals += reader.u32("number of locals");
    readValueType(reader);
    if (locals > LIMITS.moduleLocalsMax) {
      throw reader.tooLarge(`${locals} locals in one function`, LIMITS.moduleLocalsMax, start);
    }
  }
  if (reader.offset > end) throw reader.malformed("a body ends in the middle of its locals", end);
  return locals;
}

/** What the scanner does at an instruction beside adding its weight. */
const ACTION = {
  none: 0,
  /** Begins or ends a block, or a part of it. */
  block: 1,
  /** Branches or calls. */
  leave: 2,
  /** Control does not go on behind it. */
  stop: 4,
  taint: 8,
  charge: 16,
  memory: 32,
  reference: 64,
} as const;

const LEAVES = [
  [OP.br, OP.brIf, OP.brTable, OP.brOnNull, OP.brOnNonNull, OP.brOnCast, OP.brOnCastFail],
  [OP.return, OP.unreachable, OP.throw, OP.rethrow, OP.throwRef],
  [OP.call, OP.callIndirect, OP.callRef, OP.returnCall, OP.returnCallIndirect, OP.returnCallRef],
].flat();

const BLOCKS = [
  [OP.block, OP.loop, OP.if, OP.else, OP.end],
  [OP.try, OP.catch, OP.catchAll, OP.delegate, OP.tryTable],
].flat();

const STOPS = [
  [OP.br, OP.brTable, OP.return, OP.unreachable, OP.throw, OP.rethrow, OP.throwRef],
  [OP.returnCall, OP.returnCallIndirect, OP.returnCallRef],
].flat();

/** By instruction; 1 in `marked`: there is something to do. */
const { actions: ACTIONS, marked: MARKED } = actionTables();

function actionTables(): { readonly actions: Uint8Array; readonly marked: Uint8Array } {
  const actions = new Uint8Array(WEIGHTS.length);
  const marked = new Uint8Array(WEIGHTS.length);
  const add = (ops: readonly number[], action: number): void => {
    for (const op of ops) {
      actions[op] = (actions[op] ?? 0) | action;
      marked[op] = 1;
    }
  };
  add(BLOCKS, ACTION.block);
  add(LEAVES, ACTION.leave);
  add(STOPS, ACTION.stop);
  add(TAINTING, ACTION.taint);
  add(BULK, ACTION.charge);
  add([OP.memorySize, OP.memoryGrow], ACTION.memory);
  add([OP.refFunc], ACTION.reference);
  return { actions, marked };
}

const STEPS = stepsFor(WEIGHTS, MARKED);

/** units; a straight run is cut into pieces of this weight, so that it can be split there. */
const RUN_WEIGHT = 128;

const FRAME = { block: 0, loop: 1, if: 2, try: 3 } as const;

/** Turns one body after the other into events and edits. */
class BodyScanner {
  readonly #code: CodeReader;
  readonly #scan: ScannedCode;
  readonly #options: ScanOptions;
  /** Weights of the body's events. */
  total = 0;
  /** Whether it has a handler of exceptions. */
  catches = false;
  /** Weight since the last event. */
  #weight = 0;
  /** Blocks around the instruction; 0 is the function itself. */
  #depth = 0;
  readonly #kind = new Uint8Array(LIMITS.moduleDepthMax + 1);
  /** Whether anything branches to the block's label. */
  readonly #targeted = new Uint8Array(LIMITS.moduleDepthMax + 1);
  /** The event that opened the block. */
  readonly #opener = new Int32Array(LIMITS.moduleDepthMax + 1);
  /** Depth at which control stopped, -1 while it has not. */
  #deadDepth = -1;
  #deadAt = 0;
  #deadEvents = 0;
  #deadEdits = 0;
  /** Which labels the br_table or try_table with the number #stamp has named already. */
  readonly #stamps = new Int32Array(LIMITS.moduleDepthMax + 1);
  #stamp = 0;

  constructor(bytes: Uint8Array, scan: ScannedCode, options: ScanOptions) {
    this.#code = new CodeReader(bytes);
    this.#scan = scan;
    this.#options = options;
  }

  scan(start: number, end: number): void {
    const code = this.#code;
    code.seek(start, end);
    this.total = 0;
    this.catches = false;
    this.#weight = 0;
    this.#depth = 0;
    this.#kind[0] = FRAME.block;
    this.#targeted[0] = 0;
    this.#deadDepth = -1;
    // Ends: every turn takes a byte, and the reader refuses to go behind the body.
    while (this.#depth >= 0) {
      if (this.#weight >= RUN_WEIGHT) this.#event(EVENT.run, 0, code.at);
      this.#weight += code.pass(STEPS, RUN_WEIGHT - this.#weight);
      if (this.#weight >= RUN_WEIGHT) continue;
      const action = ACTIONS[code.op] as number;
      if (action === ACTION.block) this.#block(code.op);
      else if ((action & ACTION.leave) !== 0) this.#leave(code.op, action);
      else this.#edit(action);
    }
    if (code.at !== end) throw code.malformed(`${end - code.at} bytes too many`, code.at);
  }

  #event(kind: number, operand: number, place: number): void {
    this.total += this.#weight;
    this.#scan.events.push((operand << KIND_BITS) | kind, this.#weight, place);
    this.#weight = 0;
  }

  #edit(action: number): void {
    const { edits } = this.#scan;
    const { op, start, at, index } = this.#code;
    if ((action & ACTION.reference) !== 0) this.#options.onReference(index);
    if ((action & ACTION.taint) !== 0) edits.push(start, EDIT.taint, 0);
    if ((action & ACTION.charge) !== 0) edits.push(start, EDIT.charge, 0);
    if ((action & ACTION.memory) !== 0 && index === 0) {
      edits.push(start, op === OP.memorySize ? EDIT.size : EDIT.grow, at - start);
    }
    this.#weight += WEIGHTS[op] as number;
  }

  /** The frequent ones first. */
  #block(op: number): void {
    const { at } = this.#code;
    switch (op) {
      case OP.end:
        this.#close();
        return;
      case OP.block:
        this.#open(FRAME.block, EVENT.block);
        return;
      case OP.if:
        this.#weight += WEIGHTS[op] as number;
        this.#open(FRAME.if, EVENT.if);
        return;
      case OP.else:
        this.#revive();
        if (this.#kind[this.#depth] !== FRAME.if) throw this.#code.malformed("else without if");
        this.#kind[this.#depth] = FRAME.block;
        this.#event(EVENT.else, 0, at);
        return;
      case OP.loop:
        this.#open(FRAME.loop, EVENT.loop);
        return;
      default:
        this.#try(op, at);
    }
  }

  #try(op: number, at: number): void {
    if (op === OP.try) {
      this.#open(FRAME.try, EVENT.block);
      return;
    }
    if (op === OP.tryTable) {
      this.#tryTable();
      return;
    }
    const isTry = this.#kind[this.#depth] === FRAME.try;
    if (!isTry) throw this.#code.malformed("catch or delegate without try");
    if (op === OP.delegate) {
      this.#close();
      return;
    }
    this.#revive();
    this.catches = true;
    this.#event(EVENT.catch, 0, at);
  }

  /** Branches, calls, and what ends a path. */
  #leave(op: number, action: number): void {
    const { start, index } = this.#code;
    switch (op) {
      case OP.call:
      case OP.returnCall:
        if (index >= this.#options.functions) {
          throw this.#code.malformed(`function ${index} does not exist`);
        }
        this.#event(EVENT.call, index, start);
        break;
      case OP.br:
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
      case OP.brOnCast:
      case OP.brOnCastFail:
        this.#branch(index, EVENT.branch);
        break;
      case OP.brTable:
        this.#branchTable(index);
        break;
      case OP.callIndirect:
      case OP.callRef:
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        this.#event(EVENT.callIndirect, 0, start);
        break;
      default:
        break;
    }
    this.#weight += WEIGHTS[op] as number;
    if ((action & ACTION.stop) !== 0) this.#stop();
  }

  #open(frame: number, kind: number): void {
    if (this.#depth === LIMITS.moduleDepthMax) {
      throw this.#code.tooLarge("blocks deeper inside one another", LIMITS.moduleDepthMax);
    }
    this.#depth++;
    this.#kind[this.#depth] = frame;
    this.#targeted[this.#depth] = 0;
    this.#opener[this.#depth] = this.#scan.events.length;
    this.#event(kind, 0, this.#code.at);
  }

  #tryTable(): void {
    this.catches = true;
    this.#stamp++;
    for (let left = this.#code.index; left > 0; left--) {
      this.#branchOnce(this.#code.catchLabel(), EVENT.catchTo);
    }
    this.#open(FRAME.block, EVENT.block);
  }

  #branchTable(count: number): void {
    this.#stamp++;
    for (let left = count; left >= 0; left--) this.#branchOnce(this.#code.label(), EVENT.branch);
  }

  /** Thousands of targets have few labels: one event for each is enough. */
  #branchOnce(label: number, kind: number): void {
    const target = this.#depth - label;
    if (this.#stamps[target] === this.#stamp) return;
    this.#branch(label, kind);
    this.#stamps[target] = this.#stamp;
  }

  #branch(label: number, kind: number): void {
    const target = this.#depth - label;
    if (target < 0) throw this.#code.malformed(`label ${label} does not exist`);
    this.#targeted[target] = TARGETED;
    this.#event(kind, label, this.#code.start);
  }

  /** Nothing up to the end of this block is executed. */
  #stop(): void {
    this.#event(EVENT.stop, 0, this.#code.at);
    if (this.#deadDepth >= 0) return;
    this.#deadDepth = this.#depth;
    this.#deadAt = this.#code.at;
    this.#deadEvents = this.#scan.events.length;
    this.#deadEdits = this.#scan.edits.length;
  }

  /** At the end of a block, or of a part of it: what stopped inside goes on; forgets dead code. */
  #revive(): void {
    if (this.#deadDepth !== this.#depth) return;
    const { events, edits } = this.#scan;
    events.length = this.#deadEvents;
    edits.length = this.#deadEdits;
    this.#weight = 0;
    this.#deadDepth = -1;
    const bytes = this.#code.start - this.#deadAt;
    if (bytes > 0) edits.push(this.#deadAt, EDIT.drop, bytes);
  }

  #close(): void {
    this.#revive();
    const depth = this.#depth;
    const targeted = this.#targeted[depth] as number;
    // A loop that nothing goes back to is a block.
    if (this.#kind[depth] === FRAME.loop && targeted === 0) {
      this.#scan.events.fields[3 * (this.#opener[depth] as number)] = EVENT.block;
    }
    this.#event(EVENT.end, targeted, this.#code.at);
    this.#depth--;
  }
}
