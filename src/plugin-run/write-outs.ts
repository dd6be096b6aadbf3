import { encodePairs } from "../abi/proxy-wasm/pairs.ts";
import type { TracedMemory } from "../filter/guest-trace.ts";
import type { Args, Field, Shape } from "./shape.ts";
import { toNumber } from "./shape.ts";
import type { Value, Values } from "./transcript.ts";

/** Where the answers of a host function go. */
export interface GuestSide {
  readonly memory: TracedMemory;
  /** By the guest's own allocator. @returns 0 when there is no memory */
  allocate(byteLength: number): number;
}

/** Writes what a host function has answered to where the guest wants it: readOuts() reversed. */
export function writeOuts({ outs }: Shape, args: Args, values: Values, guest: GuestSide): void {
  for (const field of outs) {
    const value = values[field.name];
    if (value !== null && value !== undefined) writeOut(field, args, value, guest);
  }
}

function writeOut({ type, at }: Field, args: Args, value: Value, guest: GuestSide): void {
  const { memory } = guest;
  const ptr = Number(args[at] ?? 0);
  if (type === "fill" || type === "upto") {
    memory.write(ptr, bytesOf(value));
  } else if (type === "bytes" || type === "pairs") {
    const bytes = bytesOf(value);
    const given = bytes.byteLength === 0 ? 0 : guest.allocate(bytes.byteLength);
    if (given !== 0) memory.write(given, bytes);
    memory.write(ptr, little(BigInt(given), 4));
    memory.write(Number(args[at + 1] ?? 0), little(BigInt(bytes.byteLength), 4));
  } else if (type === "u64" || type === "i64") {
    memory.write(ptr, little(BigInt(value as string), 8));
  } else {
    memory.write(ptr, little(BigInt(toNumber(type, value)), 4));
  }
}

/** Text is latin-1; pairs are serialized as the ABI has them. */
function bytesOf(value: Value): Uint8Array {
  if (typeof value === "string") return Buffer.from(value, "latin1");
  if (typeof value !== "object" || value === null) return new Uint8Array(0);
  const names = value.map(([name]) => name);
  const texts = value.map(([, text]) => text);
  return encodePairs(names, texts) ?? new Uint8Array(0);
}

function little(value: bigint, byteLength: 4 | 8): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(byteLength * 8, value));
  return bytes.subarray(0, byteLength);
}
