/**
 * Modules put together byte by byte: what no text format can say (padded integers, false counts,
 * 500,000 functions), and what is made by the million.
 */
export type Part = number | Uint8Array | readonly Part[];

/** Everything in order; numbers are bytes. */
export function bytes(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum: number, part) => sum + sizeOf(part), 0));
  let at = 0;
  const put = (part: Part): void => {
    if (typeof part === "number") joined[at++] = part;
    else if (part instanceof Uint8Array) {
      joined.set(part, at);
      at += part.byteLength;
    } else for (const each of part) put(each);
  };
  put(parts);
  return joined;
}

/** The same bytes many times over. */
export function repeated(part: Part, count: number): Uint8Array {
  const once = bytes(part);
  const all = new Uint8Array(once.byteLength * count);
  for (let n = 0; n < count; n++) all.set(once, n * once.byteLength);
  return all;
}

/** An unsigned LEB128 integer of up to 53 bits, padded to `width` bytes when that is longer. */
export function u32(value: number, width = 1): number[] {
  const encoded: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    encoded.push(rest > 0 || encoded.length + 1 < width ? low | 0x80 : low);
  } while (rest > 0 || encoded.length < width);
  return encoded;
}

/** A signed LEB128 integer. */
export function sleb(value: number | bigint): number[] {
  const encoded: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
    encoded.push(done ? low : low | 0x80);
    if (done) return encoded;
  }
}

/** A vector: how many there are, then each. */
export function vec(items: readonly Part[]): Part {
  return [u32(items.length), items];
}

/** A name: its length in bytes, then UTF-8. */
export function name(text: string): Part {
  const encoded = new TextEncoder().encode(text);
  return [u32(encoded.byteLength), encoded];
}

/** A section: its id, its size, its body. */
export function section(id: number, ...content: readonly Part[]): Uint8Array {
  const joined = bytes(...content);
  return bytes(id, u32(joined.byteLength), joined);
}

/** A code entry: its size, its groups of locals, its instructions, and `end`. */
export function body(code: Part, locals: readonly Part[] = []): Uint8Array {
  const joined = bytes(vec(locals), code, 0x0b);
  return bytes(u32(joined.byteLength), joined);
}

/** A function type. */
export function signature(params: readonly number[], results: readonly number[] = []): Part {
  return [0x60, vec(params), vec(results)];
}

/** The magic number, the version, and the sections. */
export function wasm(...sections: readonly Part[]): Uint8Array<ArrayBuffer> {
  return bytes(HEADER, ...sections);
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function sizeOf(part: Part): number {
  if (typeof part === "number") return 1;
  if (part instanceof Uint8Array) return part.byteLength;
  let size = 0;
  for (const each of part) size += sizeOf(each);
  return size;
}
