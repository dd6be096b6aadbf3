/** Ways to damage a module a little, so that most of it is still read. */
import { Random } from "../support/random.ts";
import { bytes as join, type Part, u32 } from "../support/wasm-bytes.ts";

interface Span {
  readonly id: number;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** One to four mutations of one module, now and then with parts of another. */
export function mutate(random: Random, original: Uint8Array, other: Uint8Array): Uint8Array {
  let mutated = original;
  for (let left = random.pick([1, 1, 1, 2, 4]); left > 0; left--) {
    mutated = random.pick(MUTATIONS)(random, mutated, other);
  }
  return mutated;
}

type Mutation = (random: Random, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  replaceBytes,
  replaceBytes,
  insertBytes,
  removeBytes,
  truncate,
  swapSections,
  repeatSection,
  spliceSection,
  padLength,
  changeLength,
];

function flipBits(random: Random, bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  for (let left = random.between(1, 3); left > 0 && changed.byteLength > 0; left--) {
    const at = random.below(changed.byteLength);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  }
  return changed;
}

/** Bytes that mean something: ends of blocks, long integers, types, prefixes. */
const TELLING = [
  0, 1, 0x0b, 0x40, 0x7f, 0x80, 0xff, 0x03, 0x06, 0x0e, 0x1f, 0xfb, 0xfc, 0xfd, 0xfe,
];

function replaceBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const at = random.below(changed.byteLength + 1);
  for (let n = random.between(1, 3); n > 0; n--) {
    if (at + n < changed.byteLength) changed[at + n] = random.pick(TELLING);
  }
  return changed;
}

function insertBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.byteLength + 1);
  const added = random.list(random.between(1, 6), () => random.pick(TELLING));
  return join(bytes.subarray(0, at), added, bytes.subarray(at));
}

function removeBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.byteLength + 1);
  return join(bytes.subarray(0, at), bytes.subarray(at + random.between(1, 6)));
}

function truncate(random: Random, bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, random.below(bytes.byteLength + 1));
}

function swapSections(random: Random, bytes: Uint8Array): Uint8Array {
  const spans = sectionsOf(bytes);
  if (spans.length < 2) return bytes;
  const order = [...spans.keys()];
  const [a, b] = [random.below(order.length), random.below(order.length)];
  [order[a], order[b]] = [order[b] ?? 0, order[a] ?? 0];
  return assembled(order.map((n) => partOf(bytes, spans[n])));
}

function repeatSection(random: Random, bytes: Uint8Array): Uint8Array {
  const spans = sectionsOf(bytes);
  if (spans.length === 0) return bytes;
  const chosen = partOf(bytes, random.pick(spans));
  const at = random.below(spans.length + 1);
  return assembled(spans.map((span) => partOf(bytes, span)).toSpliced(at, 0, chosen));
}

/** A section of the other module, in the place of ours of the same kind. */
function spliceSection(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const theirs = sectionsOf(other);
  if (theirs.length === 0) return bytes;
  const chosen = random.pick(theirs);
  const parts = sectionsOf(bytes).map((span) =>
    span.id === chosen.id ? partOf(other, chosen) : partOf(bytes, span),
  );
  return assembled(parts);
}

/** The same length in more bytes, as linkers write it: it is still the same module. */
function padLength(random: Random, bytes: Uint8Array): Uint8Array {
  const spans = sectionsOf(bytes);
  if (spans.length === 0) return bytes;
  const chosen = random.pick(spans);
  const length = u32(chosen.end - chosen.bodyStart, random.between(2, 6));
  return withLength(bytes, chosen, length);
}

function changeLength(random: Random, bytes: Uint8Array): Uint8Array {
  const spans = sectionsOf(bytes);
  if (spans.length === 0) return bytes;
  const chosen = random.pick(spans);
  const off = random.pick([-1, 1, -2, 3, 1000, 0x7fff_0000]);
  return withLength(bytes, chosen, u32(Math.max(0, chosen.end - chosen.bodyStart + off)));
}

function withLength(bytes: Uint8Array, span: Span, length: Part): Uint8Array {
  return join(bytes.subarray(0, span.start + 1), length, bytes.subarray(span.bodyStart));
}

function partOf(bytes: Uint8Array, span: Span | undefined): Uint8Array {
  return span === undefined ? new Uint8Array() : bytes.subarray(span.start, span.end);
}

function assembled(parts: readonly Uint8Array[]): Uint8Array {
  return join([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], parts);
}

/** As far as they can be read; not with the reader under test, which is strict. */
function sectionsOf(bytes: Uint8Array): Span[] {
  const spans: Span[] = [];
  let at = 8;
  while (at < bytes.byteLength) {
    const start = at;
    const id = bytes[at++] ?? 0;
    let length = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const end = Math.min(bytes.byteLength, at + length);
    spans.push({ id, start, bodyStart: at, end });
    at = end;
  }
  return spans;
}
