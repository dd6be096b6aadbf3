import { LIMITS } from "../../base/limits.ts";
import { ModuleError } from "./module-error.ts";
import { IMMEDIATE, IMMEDIATES, OP, PREFIX, PREFIXED_MAX, prefixed } from "./opcodes.ts";

/** What pass() does with each instruction. */
export interface Steps {
  /** 1: it is stopped behind. */
  readonly marked: Uint8Array;
  readonly weights: Uint8Array;
  /**
   * Of instructions without a prefix whose numbers mostly take a byte each, else 0. From the lowest
   * bit: the length in that case, bits that then are not set in the two bytes behind the opcode,
   * and from bit 16 the weight. One test without a branch for each form: the forms cannot be
   * predicted, and a wrong guess costs more than the rest.
   */
  readonly words: Int32Array;
}

const LENGTH = 3;
/** Bit 6 of an alignment says that a third number follows, bit 7 that the number goes on. */
const LONG_NUMBER = 0x80c0;
const WEIGHT_BITS = 16;

const SHORT_FORMS: Readonly<Record<number, number>> = {
  [IMMEDIATE.none]: 1,
  [IMMEDIATE.index]: 0x80 | 2,
  [IMMEDIATE.signed32]: 0x80 | 2,
  [IMMEDIATE.signed64]: 0x80 | 2,
  [IMMEDIATE.memory]: 0x80c0 | 3,
};

export function stepsFor(weights: Uint8Array, marked: Uint8Array): Steps {
  const words = new Int32Array(256);
  for (let op = 0; op < PREFIX.gc; op++) {
    const form = SHORT_FORMS[IMMEDIATES[op] ?? IMMEDIATE.unknown];
    if (form === undefined || marked[op] === 1) continue;
    words[op] = form | ((weights[op] ?? 0) << WEIGHT_BITS);
  }
  return { marked, weights, words };
}

/**
 * Reads instructions one after the other, without an object for any of them: `next()` moves on and
 * leaves in the fields what it has read. Bytes need not be valid code. Whatever they are, every
 * instruction is known or refused, and nothing behind `end` is taken for code.
 */
export class CodeReader {
  readonly bytes: Uint8Array;
  /** Next byte, counted from the start of the file. */
  at = 0;
  /** First byte behind the code. */
  end = 0;
  /** Where the instruction begins. */
  start = 0;
  /** Its number: see opcodes.ts. */
  op = 0;
  /** Its first index or label; for br_table and try_table how many entries are to be read. */
  index = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Goes to code that ends with an `end` before the byte `end`. */
  seek(start: number, end: number): void {
    this.at = start;
    this.end = end;
  }

  /**
   * Reads one instruction. After br_table `index` + 1 times label() has to follow, after try_table
   * `index` times catchLabel().
   */
  next(): void {
    this.start = this.at;
    const byte = this.bytes[this.at++] as number;
    this.op = byte < PREFIX.gc || byte > PREFIX.atomic ? byte : this.#prefixed(byte);
    this.#immediates(IMMEDIATES[this.op] as number);
    if (this.at > this.end) throw this.#truncated();
  }

  /**
   * Reads instructions up to one that is marked, which is read too, or until their weights come to
   * `most`. Most code is short instructions of which nothing has to be known: they are passed over
   * here, in a loop that keeps everything in registers.
   * @returns the sum of the weights; when it is less than `most`, `op` is a marked instruction
   */
  pass(steps: Steps, most: number): number {
    const { bytes } = this;
    const { words } = steps;
    let { at } = this;
    let sum = 0;
    // Ends: every turn takes a byte, and next() refuses to go behind the code.
    for (;;) {
      const word = words[bytes[at] as number] as number;
      const numbers = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
      // Behind the end of the file there is no word, and undefined is not greater than anything.
      if (word > 0 && (numbers & word & LONG_NUMBER) === 0) {
        at += word & LENGTH;
        sum += word >> WEIGHT_BITS;
      } else {
        this.at = at;
        this.next();
        at = this.at;
        if (steps.marked[this.op] === 1) return sum;
        sum += steps.weights[this.op] as number;
      }
      if (sum >= most) {
        this.at = at;
        if (at > this.end) throw this.#truncated();
        return sum;
      }
    }
  }

  #prefixed(prefix: number): number {
    const number = this.u32();
    // A larger number would be taken for an instruction of the next prefix.
    if (number < PREFIXED_MAX) return prefixed(prefix, number);
    throw this.#unknown();
  }

  #immediates(form: number): void {
    switch (form) {
      case IMMEDIATE.none:
        return;
      case IMMEDIATE.index:
        this.index = this.u32();
        return;
      case IMMEDIATE.indices:
        this.index = this.u32();
        this.u32();
        return;
      case IMMEDIATE.memory:
        this.#memoryArgument();
        return;
      case IMMEDIATE.signed32:
        this.#skipLeb(5);
        return;
      case IMMEDIATE.signed64:
        this.#skipLeb(10);
        return;
      case IMMEDIATE.blockType:
        this.#blockType();
        return;
      default:
        this.#rareImmediates(form);
    }
  }

  #rareImmediates(form: number): void {
    switch (form) {
      case IMMEDIATE.byte:
        this.at += 1;
        return;
      case IMMEDIATE.bytes4:
        this.at += 4;
        return;
      case IMMEDIATE.bytes8:
        this.at += 8;
        return;
      case IMMEDIATE.bytes16:
        this.at += 16;
        return;
      case IMMEDIATE.memoryLane:
        this.#memoryArgument();
        this.at += 1;
        return;
      case IMMEDIATE.labels:
        this.index = this.#count("targets of br_table", LIMITS.moduleBranchTargetsMax);
        return;
      case IMMEDIATE.types:
        for (let left = this.#count("types of select", 1); left > 0; left--) this.#valueType();
        return;
      case IMMEDIATE.heapType:
        this.#skipLeb(5);
        return;
      case IMMEDIATE.castBranch:
        this.at += 1;
        this.index = this.u32();
        this.#skipLeb(5);
        this.#skipLeb(5);
        return;
      case IMMEDIATE.tryTable:
        this.#blockType();
        this.index = this.#count("clauses of try_table", LIMITS.moduleCatchesMax);
        return;
      default:
        throw this.#unknown();
    }
  }

  /** One label of a br_table. */
  label(): number {
    const label = this.u32();
    if (this.at > this.end) throw this.#truncated();
    return label;
  }

  /** The label of one clause of a try_table: catch, catch_ref, catch_all, catch_all_ref. */
  catchLabel(): number {
    const kind = this.bytes[this.at++] as number;
    if (kind > 3) throw this.malformed(`catch clause ${kind} is not known`, this.at - 1);
    if (kind < 2) this.u32(); // The tag.
    return this.label();
  }

  #count(what: string, max: number): number {
    const count = this.u32();
    if (count > max) throw this.tooLarge(`${count} ${what}`, max);
    return count;
  }

  #memoryArgument(): void {
    // Bit 6 of the alignment says that the index of a memory follows.
    if ((this.u32() & 0x40) !== 0) this.u32();
    this.u32();
  }

  #blockType(): void {
    const byte = this.bytes[this.at] as number;
    if (byte < 0x40 || byte >= 0x80) this.#skipLeb(5);
    else this.#valueType();
  }

  /** One byte, or two prefixes of a heap type: ref and ref null. */
  #valueType(): void {
    const byte = this.bytes[this.at++] as number;
    if (byte === 0x63 || byte === 0x64) this.#skipLeb(5);
  }

  u32(): number {
    const byte = this.bytes[this.at] as number;
    if (byte < 0x80) {
      this.at++;
      return byte;
    }
    return this.#longU32();
  }

  #longU32(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const byte = this.#byte();
    // The fifth byte holds the four bits that are left.
    if (byte > 0x0f) throw this.malformed("a number does not fit into 32 bits");
    return value + byte * 2 ** 28;
  }

  #byte(): number {
    if (this.at >= this.end) throw this.#truncated();
    return this.bytes[this.at++] as number;
  }

  #skipLeb(bytesMax: number): void {
    const { bytes } = this;
    for (let left = bytesMax; left > 0; left--) if ((bytes[this.at++] as number) < 0x80) return;
    if (this.at > this.end) throw this.#truncated();
    throw this.malformed(`a number is longer than ${bytesMax} bytes`);
  }

  tooLarge(what: string, max: number): ModuleError {
    return new ModuleError("TOO_LARGE", `Cannot load a module with ${what}: the limit is ${max}`, {
      offset: this.start,
    });
  }

  malformed(what: string, offset = this.start): ModuleError {
    return new ModuleError("MALFORMED", `Cannot read a function's code: ${what}`, { offset });
  }

  #unknown(): ModuleError {
    if (this.start >= this.end) return this.#truncated();
    const seen = this.bytes.subarray(this.start, Math.min(this.at, this.end)).toHex();
    const what = `Cannot run this module: the instruction 0x${seen} is not known`;
    return new ModuleError("UNSUPPORTED", what, { offset: this.start });
  }

  #truncated(): ModuleError {
    return this.malformed("it ends in the middle of an instruction");
  }
}

/** Reads to the `end` of a constant expression. @param onFunction told what it references */
export function readConstant(code: CodeReader, onFunction: (index: number) => void): void {
  // Ends: every turn takes a byte, and the reader refuses to go behind the section.
  for (;;) {
    code.next();
    if (code.op === OP.end) return;
    if (code.op === OP.refFunc) onFunction(code.index);
    const form = IMMEDIATES[code.op];
    if (form === IMMEDIATE.blockType || form === IMMEDIATE.labels || form === IMMEDIATE.tryTable) {
      throw code.malformed("a constant expression cannot have blocks");
    }
  }
}
