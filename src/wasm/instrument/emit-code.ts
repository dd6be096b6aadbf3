import { readU32 } from "../binary/leb128.ts";
import { ByteWriter } from "../binary/writer.ts";
import type { AddedFunction } from "./added-functions.ts";
import type { CheckPlan } from "./check-plan.ts";
import type { Layout } from "./layout.ts";
import { EDIT, type ScannedCode } from "./trace.ts";
import { BULK_UNIT_BITS } from "./weights.ts";

export interface EmitCodeOptions {
  readonly bytes: Uint8Array;
  readonly scan: ScannedCode;
  readonly plan: CheckPlan;
  readonly layout: Layout;
  readonly poll: boolean;
}

/** The body of a code section: old bodies with their checks and edits, then the added functions. */
export function emitCode(options: EmitCodeOptions, added: readonly AddedFunction[]): Uint8Array {
  const { scan } = options;
  const size = scan.count === 0 ? 0 : (scan.codeEnd[scan.count - 1] as number);
  const emitter = new CodeEmitter(options, new ByteWriter(size * 1.25));
  emitter.out.u32(scan.count + added.length);
  for (let own = 0; own < scan.count; own++) emitter.emit(own);
  for (const { body } of added) {
    emitter.out.u32(body.byteLength);
    emitter.out.copy(body, 0, body.byteLength);
  }
  return emitter.out.done();
}

class CodeEmitter {
  readonly out: ByteWriter;
  readonly #options: EmitCodeOptions;
  /** The parts of a check that do not depend on its weight. */
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;

  constructor(options: EmitCodeOptions, out: ByteWriter) {
    this.out = out;
    this.#options = options;
    const { fuel } = options.layout;
    const getFuel = fuel === undefined ? [] : withIndex(GLOBAL_GET, fuel);
    this.#before = Uint8Array.from([...(options.poll ? POLL : []), ...getFuel]);
    this.#after =
      fuel === undefined
        ? new Uint8Array()
        : Uint8Array.from([I64_SUB, ...withIndex(GLOBAL_SET, fuel), ...getFuel, ...TRAP_BELOW_0]);
  }

  emit(own: number): void {
    const { bytes, scan, plan } = this.#options;
    const { out } = this;
    const start = out.length;
    const codeAt = scan.codeAt[own] as number;
    const codeEnd = scan.codeEnd[own] as number;
    this.#locals(own);
    if ((plan.entry[own] as number) > 0) this.#check(plan.entry[own] as number);
    const sites = plan.sites.fields;
    const edits = scan.edits.fields;
    let site = plan.firstSite[own] as number;
    const siteEnd = plan.siteEnd[own] as number;
    let edit = scan.firstEdit[own] as number;
    const editEnd = scan.firstEdit[own + 1] as number;
    let at = codeAt;
    // Ends: every turn takes a site or an edit.
    while (site < siteEnd || edit < editEnd) {
      const sitePlace = site < siteEnd ? (sites[3 * site] as number) : codeEnd;
      const editPlace = edit < editEnd ? (edits[3 * edit] as number) : codeEnd;
      const place = Math.min(sitePlace, editPlace);
      out.copy(bytes, at, place);
      at = place;
      if (sitePlace <= editPlace) this.#check(sites[3 * site++ + 1] as number);
      else at += this.#edit(own, edit++);
    }
    out.copy(bytes, at, codeEnd);
    out.prefixLength(start);
  }

  #check(weight: number): void {
    const { out } = this;
    out.copy(this.#before, 0, this.#before.byteLength);
    if (this.#options.layout.fuel === undefined) return;
    out.byte(I64_CONST);
    out.positive(weight);
    out.copy(this.#after, 0, this.#after.byteLength);
  }

  /** @returns bytes of the original that this stands for */
  #edit(own: number, edit: number): number {
    const { scan, layout } = this.#options;
    const kind = scan.edits.fields[3 * edit + 1] as number;
    const replaced = scan.edits.fields[3 * edit + 2] as number;
    const { fuel, taint, pages } = layout;
    const { grow } = layout.functions;
    switch (kind) {
      case EDIT.drop:
        return replaced;
      case EDIT.taint:
        if (taint !== undefined) this.#write([I32_CONST, 1, ...withIndex(GLOBAL_SET, taint)]);
        return 0;
      case EDIT.charge:
        if (fuel !== undefined) this.#charge(fuel, scan.locals[own] as number);
        return 0;
      case EDIT.size:
        if (pages === undefined) return 0;
        this.#write(withIndex(GLOBAL_GET, pages));
        return replaced;
      case EDIT.grow:
        if (grow === undefined) return 0;
        this.#write(withIndex(CALL, grow));
        return replaced;
      default:
        throw new RangeError(`Cannot rewrite code: edit ${kind} is not known`);
    }
  }

  /** Charges for the length that is on the stack, and leaves it there. */
  #charge(fuel: number, local: number): void {
    this.#write(withIndex(LOCAL_TEE, local));
    this.#write(withIndex(GLOBAL_GET, fuel));
    this.#write(withIndex(LOCAL_GET, local));
    this.#write([I32_CONST, BULK_UNIT_BITS, I32_SHR_U, I64_EXTEND_U]);
    this.out.copy(this.#after, 0, this.#after.byteLength);
  }

  /** The locals, with one more i32 when a length is charged. */
  #locals(own: number): void {
    const { bytes, scan } = this.#options;
    const start = scan.localsAt[own] as number;
    const end = scan.codeAt[own] as number;
    if (!this.#chargesLength(own)) {
      this.out.copy(bytes, start, end);
      return;
    }
    const groups = readU32(bytes, start, end);
    if ("wrong" in groups) throw new RangeError("Cannot rewrite code: its locals were not read");
    this.out.u32(groups.value + 1);
    this.out.copy(bytes, groups.end, end);
    this.#write([1, I32]);
  }

  #chargesLength(own: number): boolean {
    const { scan, layout } = this.#options;
    if (layout.fuel === undefined) return false;
    const { fields } = scan.edits;
    const end = scan.firstEdit[own + 1] as number;
    for (let edit = scan.firstEdit[own] as number; edit < end; edit++) {
      if (fields[3 * edit + 1] === EDIT.charge) return true;
    }
    return false;
  }

  #write(bytes: readonly number[]): void {
    for (const byte of bytes) this.out.byte(byte);
  }
}

const I32 = 0x7f;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_TEE = 0x22;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I32_SHR_U = 0x76;
const I64_SUB = 0x7d;
const I64_EXTEND_U = 0xad;

/** i32.const -65536, i32.const 0, i32.store8: see instrument.ts. */
const POLL = [I32_CONST, 0x80, 0x80, 0x7c, I32_CONST, 0, 0x3a, 0, 0];

/** i64.const 0, i64.lt_s, if unreachable end: with a call here loops are slower by half. */
const TRAP_BELOW_0 = [I64_CONST, 0, 0x53, 0x04, 0x40, 0x00, 0x0b];

/** An instruction with one index. */
function withIndex(op: number, index: number): number[] {
  const bytes = [op];
  let rest = index;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
