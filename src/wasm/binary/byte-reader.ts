import { LIMITS } from "../../base/limits.ts";
import { readU32 } from "./leb128.ts";
import { ModuleError } from "./module-error.ts";

/**
 * A cursor over a window of a module's bytes. Every read is checked against the window and throws a
 * ModuleError that names what was being read and at which byte of the file.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** First byte behind the window. */
  readonly end: number;
  /** Next byte, counted from the start of the file. */
  offset: number;
  /** Whose bytes these are, for messages: "type section". */
  readonly #where: string;

  constructor(bytes: Uint8Array, window: { start: number; end: number; where: string }) {
    this.bytes = bytes;
    this.offset = window.start;
    this.end = window.end;
    this.#where = window.where;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }

  byte(what: string): number {
    if (this.done) throw this.truncated(what);
    return this.bytes[this.offset++] as number;
  }

  u32(what: string): number {
    const read = readU32(this.bytes, this.offset, this.end);
    if ("wrong" in read) {
      throw read.wrong === "truncated"
        ? this.truncated(what)
        : this.malformed(`${what} does not fit into 32 bits`);
    }
    this.offset = read.end;
    return read.value;
  }

  /** Length of a vector, checked so that no loop over it is long. */
  count(what: string, entriesMax: number = LIMITS.moduleEntriesMax): number {
    const start = this.offset;
    const count = this.u32(`number of ${what}`);
    const max = Math.min(entriesMax, this.end - this.offset);
    // Every entry takes at least a byte: a count above that is a lie before anything is allocated.
    if (count > max) throw this.malformed(`${count} ${what} claimed, at most ${max} fit`, start);
    return count;
  }

  /** A UTF-8 name. */
  text(what: string): string {
    const length = this.u32(`length of ${what}`);
    const start = this.offset;
    if (length > this.end - start) throw this.truncated(what);
    this.offset += length;
    try {
      return UTF8.decode(this.bytes.subarray(start, this.offset));
    } catch (cause) {
      throw new ModuleError("MALFORMED", `Cannot read ${what}: it is not UTF-8`, {
        offset: start,
        cause,
      });
    }
  }

  /** @throws ModuleError when bytes are left */
  expectDone(): void {
    if (!this.done) throw this.malformed(`${this.end - this.offset} bytes too many`);
  }

  truncated(what: string): ModuleError {
    const fileEnds = this.end === this.bytes.byteLength;
    return new ModuleError(
      fileEnds ? "TRUNCATED" : "MALFORMED",
      `Cannot read ${what} in the ${this.#where}: the ${fileEnds ? "file" : "section"} ends`,
      { offset: this.offset },
    );
  }

  /** @param what with its number: "12 types" */
  tooLarge(what: string, max: number, offset = this.offset): ModuleError {
    return new ModuleError("TOO_LARGE", `Cannot load a module with ${what}: the limit is ${max}`, {
      offset,
    });
  }

  malformed(what: string, offset = this.offset): ModuleError {
    return new ModuleError("MALFORMED", `Cannot read the ${this.#where}: ${what}`, {
      offset,
    });
  }

  unsupported(what: string, offset = this.offset): ModuleError {
    return new ModuleError("UNSUPPORTED", `Cannot run this module: ${what}`, { offset });
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
