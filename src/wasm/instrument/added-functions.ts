import { encodeI32, encodeU32 } from "../binary/leb128.ts";
import { ByteWriter, joinBytes } from "../binary/writer.ts";
import type { Layout } from "./layout.ts";
import type { DataSegment } from "./segments.ts";

/** A function that is added: its type and its body without the size. */
export interface AddedFunction {
  readonly type: number;
  readonly body: Uint8Array;
}

const I32 = 0x7f;
const I64 = 0x7e;

export interface AddedFunctionsOptions {
  readonly bytes: Uint8Array;
  readonly data: readonly DataSegment[];
  /** Pages of 64 KiB; the maximum of the memory. */
  readonly pagesMax: number;
}

/** The functions of a layout, in the order of their indices. */
export function addedFunctions(layout: Layout, options: AddedFunctionsOptions): AddedFunction[] {
  const { types, functions } = layout;
  const added: AddedFunction[] = [];
  if (layout.pages !== undefined && functions.grow !== undefined) {
    added.push({ type: types.exchange, body: growBody(layout.pages, options.pagesMax) });
  }
  if (layout.fuel !== undefined && functions.setFuel !== undefined) {
    added.push({ type: types.exchange, body: setFuelBody(layout.fuel) });
  }
  if (functions.initialize !== undefined) {
    added.push({ type: types.act, body: initializeBody(options) });
  }
  added.push({ type: types.act, body: captureBody(layout) });
  added.push({ type: types.answer, body: restoreBody(layout) });
  return added;
}

/**
 * memory.grow on the virtual size: the real memory grows only past its real size, because after a
 * restore it is larger than the guest knows.
 *
 *   (func (param $delta i32) (result i32) (local $old i32) (local $new i32) …)
 */
function growBody(pages: number, pagesMax: number): Uint8Array {
  const delta = 0;
  const old = 1;
  const grown = 2;
  return body(
    [2, I32],
    // if ($delta >u max - (old = pages)) return -1
    [...get(delta), ...constant(pagesMax), ...globalGet(pages), ...tee(old), SUB, GT_U],
    [IF, EMPTY, ...constant(-1), RETURN, END],
    // if ((new = old + delta) >u size && memory.grow(new - size) == -1) return -1
    [...get(old), ...get(delta), ADD, ...tee(grown), ...MEMORY_SIZE, GT_U, IF, EMPTY],
    [...get(grown), ...MEMORY_SIZE, SUB, ...MEMORY_GROW, ...constant(-1), EQ, IF, EMPTY],
    [...constant(-1), RETURN, END, END],
    // pages = new; return old
    [...get(grown), ...globalSet(pages), ...get(old)],
  );
}

/** (func (param $fuel i32) (result i32) (local $old i64) …): sets it; what was left, clamped. */
function setFuelBody(fuel: number): Uint8Array {
  const old = 1;
  const most = [I64_CONST, ...encodeI32(2 ** 31 - 1)];
  const least = [I64_CONST, ...encodeI32(-(2 ** 31))];
  return body(
    [1, I64],
    [...globalGet(fuel), ...setLocal(old), ...get(0), I64_EXTEND_S, ...globalSet(fuel)],
    [...get(old), ...most, ...get(old), ...most, I64_LT_S, SELECT, ...setLocal(old)],
    [...get(old), ...least, ...get(old), ...least, I64_GT_S, SELECT, I32_WRAP],
  );
}

/** Writes the segments that were active, as instantiating would have, and drops them. */
function initializeBody({ bytes, data }: AddedFunctionsOptions): Uint8Array {
  // Written byte by byte: arrays for the parts of 100,000 segments would take seconds.
  const code = new ByteWriter(32 * data.length);
  for (const [index, { offset, bytes: content }] of data.entries()) {
    if (offset === undefined) continue;
    code.copy(bytes, offset.start, offset.end);
    code.byte(I32_CONST);
    code.byte(0);
    code.byte(I32_CONST);
    code.positive(content.end - content.start);
    for (const byte of MEMORY_INIT) code.byte(byte);
    code.u32(index);
    code.byte(0);
    for (const byte of DATA_DROP) code.byte(byte);
    code.u32(index);
  }
  return body(undefined, code.done());
}

function captureBody({ shadows, taint }: Layout): Uint8Array {
  const copies = shadows.map(({ global, shadow }) => [...globalGet(global), ...globalSet(shadow)]);
  const clean = taint === undefined ? [] : [...constant(0), ...globalSet(taint)];
  return body(undefined, ...copies, clean);
}

function restoreBody({ shadows, taint }: Layout): Uint8Array {
  const copies = shadows.map(({ global, shadow }) => [...globalGet(shadow), ...globalSet(global)]);
  return body(undefined, ...copies, taint === undefined ? constant(0) : globalGet(taint));
}

/** @param locals how many and of which type, undefined for none */
function body(
  locals: readonly [number, number] | undefined,
  ...code: readonly (readonly number[] | Uint8Array)[]
): Uint8Array {
  const declared = locals === undefined ? [0] : [1, ...locals];
  return joinBytes([declared, ...code, [END]].map((part) => Uint8Array.from(part)));
}

const IF = 0x04;
const EMPTY = 0x40;
const END = 0x0b;
const RETURN = 0x0f;
const SELECT = 0x1b;
const EQ = 0x46;
const GT_U = 0x4b;
const ADD = 0x6a;
const SUB = 0x6b;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I64_LT_S = 0x53;
const I64_GT_S = 0x55;
const I32_WRAP = 0xa7;
const I64_EXTEND_S = 0xac;
const MEMORY_SIZE = [0x3f, 0];
const MEMORY_GROW = [0x40, 0];
const MEMORY_INIT = [0xfc, 0x08];
const DATA_DROP = [0xfc, 0x09];

function get(local: number): number[] {
  return [0x20, local];
}

function setLocal(local: number): number[] {
  return [0x21, local];
}

function tee(local: number): number[] {
  return [0x22, local];
}

function globalGet(global: number): number[] {
  return [0x23, ...encodeU32(global)];
}

function globalSet(global: number): number[] {
  return [0x24, ...encodeU32(global)];
}

function constant(value: number): number[] {
  return [0x41, ...encodeI32(value)];
}
