import { SHORT_TEXT_BYTES_MAX, shortText } from "./short-text.ts";

/**
 * Bounds-checked access to one guest's linear memory.
 *
 *   0             ptr       ptr+len          size
 *   ├──────────────┼─ window ─┼────────────────┤   offsets: bytes, u32
 *
 * Why a class: `memory.grow` detaches the ArrayBuffer and a cached view silently turns empty, so
 * every access goes through `#refresh()`. Addresses come from the guest, so a bad one only
 * yields `undefined` or `false` (the ABI answers InvalidMemoryAccess), it never throws. `i32`
 * arguments arrive signed; every method here takes them as they come.
 *
 * Text is latin-1 both ways, which keeps header bytes as they are. (`TextDecoder("latin1")` would
 * not: by its standard that label means windows-1252.)
 */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  #bytes!: Uint8Array;
  #data!: DataView;
  #text!: Buffer;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#attach();
  }

  /** Size of the memory now. */
  get byteLength(): number {
    return this.#refresh().byteLength;
  }

  /** True when the window lies within the memory. */
  contains(ptr: number, byteLength: number): boolean {
    return (ptr >>> 0) + (byteLength >>> 0) <= this.#refresh().byteLength;
  }

  /** Borrowed window; dead after the next guest call. */
  read(ptr: number, byteLength: number): Uint8Array | undefined {
    const bytes = this.#refresh();
    const start = ptr >>> 0;
    const end = start + (byteLength >>> 0); // u32 + u32 < 2^53, cannot wrap.
    return end > bytes.byteLength ? undefined : bytes.subarray(start, end);
  }

  /** The window's bytes as the caller's own. */
  copy(ptr: number, byteLength: number): Uint8Array | undefined {
    const window = this.read(ptr, byteLength);
    return window === undefined ? undefined : new Uint8Array(window);
  }

  /**
   * One char per byte. What is longer than `byteLengthMax` is cut one byte above it: the caller
   * sees that it is too long, and no guest has its whole memory made into text by one call.
   */
  latin1(ptr: number, byteLength: number, byteLengthMax: number): string | undefined {
    if (!this.contains(ptr, byteLength)) return undefined;
    const taken = Math.min(byteLength >>> 0, byteLengthMax + 1);
    const start = ptr >>> 0;
    if (taken === 0) return "";
    if (taken > SHORT_TEXT_BYTES_MAX) return this.#decode(start, start + taken);
    return shortText(this.#bytes, start, start + taken, this.#decode);
  }

  /** Bytes that are no UTF-8 come out as U+FFFD. */
  utf8(ptr: number, byteLength: number): string | undefined {
    if (!this.contains(ptr, byteLength)) return undefined;
    return this.#text.toString("utf8", ptr >>> 0, (ptr >>> 0) + (byteLength >>> 0));
  }

  readU32(ptr: number): number | undefined {
    return this.contains(ptr, 4) ? this.#data.getUint32(ptr >>> 0, true) : undefined;
  }

  /** @returns false when it does not fit; nothing has been written then. So do the methods below */
  write(ptr: number, bytes: Uint8Array): boolean {
    if (!this.contains(ptr, bytes.byteLength)) return false;
    this.#bytes.set(bytes, ptr >>> 0);
    return true;
  }

  /** @param text one byte per char, chars up to U+00FF */
  writeLatin1(ptr: number, text: string): boolean {
    if (!this.contains(ptr, text.length)) return false;
    this.#text.write(text, ptr >>> 0, text.length, "latin1");
    return true;
  }

  writeU32(ptr: number, value: number): boolean {
    if (!this.contains(ptr, 4)) return false;
    this.#data.setUint32(ptr >>> 0, value, true);
    return true;
  }

  writeU64(ptr: number, value: bigint): boolean {
    if (!this.contains(ptr, 8)) return false;
    this.#data.setBigUint64(ptr >>> 0, value, true);
    return true;
  }

  readonly #decode = (start: number, end: number): string => {
    return this.#text.toString("latin1", start, end);
  };

  #refresh(): Uint8Array {
    // A detached view has length 0; asking costs 5 ns, `memory.buffer` would cost three times that.
    if (this.#bytes.byteLength === 0) this.#attach();
    return this.#bytes;
  }

  #attach(): void {
    const { buffer } = this.#memory;
    this.#bytes = new Uint8Array(buffer);
    this.#data = new DataView(buffer);
    this.#text = Buffer.from(buffer);
  }
}
