import { assert } from "../../base/assert.ts";
import { log } from "../../base/log.ts";
import type { AttachedMemory, ImageKind } from "./attached-memory.ts";
import { CopiedMemory } from "./copied-memory.ts";
import { systemKernel, type Kernel } from "./kernel.ts";
import { contentOf, MemoryFile } from "./memory-file.ts";
import { overlay, OverlaidMemory } from "./overlaid-memory.ts";
import { reservationOf } from "./reservation.ts";

/**
 * The contents of a guest's memory at one moment, to which memories of other instances of its
 * module can be put, and put back any number of times.
 *
 *   captureMemory() ─▶ image ─ attach(memory) ─▶ attached ─ reset() … reset() ─ discard()
 */
export interface MemoryImage {
  /** Of the captured memory, in bytes. */
  readonly byteLength: number;
  readonly kind: ImageKind;
  /**
   * Puts the image into a memory, which the caller has grown to at least its size. A memory that
   * cannot be mapped gets a copy. It can be attached once in its life, to one image.
   */
  attach(memory: WebAssembly.Memory): AttachedMemory;
  /**
   * Frees the image. What is attached stays valid, if slower to reset; nothing more can be
   * attached. Twice is harmless.
   */
  close(): void;
}

/** errno(3) of mmap(2): out of memory, or of mappings. */
const ENOMEM = 12;

const WASM_PAGE_BYTES = 65_536;

/**
 * bytes; up to here an image is copied where written pages can be found, and where they cannot.
 * bench/image.bench.ts measures both.
 */
const COPIED_BYTES_MAX = { pagesKnown: 65_536, pagesUnknown: 262_144 } as const;

/**
 * @param options.byteLength how much of the memory, from its beginning: whole pages of 64 KiB
 * @param options.copyOnWrite chosen by size and by what the system can when left out
 * @param options.kernel undefined: there is none
 */
export function captureMemory(
  memory: WebAssembly.Memory,
  options: { byteLength: number; copyOnWrite?: boolean; kernel?: Kernel | undefined },
): MemoryImage {
  const { byteLength } = options;
  const kernel = "kernel" in options ? options.kernel : systemKernel();
  const { buffer } = memory;
  assert(
    byteLength % WASM_PAGE_BYTES === 0 && byteLength <= buffer.byteLength,
    `Cannot capture ${byteLength} bytes of a memory of ${buffer.byteLength}`,
  );
  const bytes = new Uint8Array(buffer, 0, byteLength);
  if (kernel !== undefined && (options.copyOnWrite ?? isWorthMapping(memory, byteLength, kernel))) {
    const file = MemoryFile.of(bytes, kernel.libc, kernel.pageBytes);
    if (file !== undefined) return new MappedImage(byteLength, file, kernel);
  }
  return new CopiedImage(byteLength, bytes, kernel);
}

/** A process whose memories are not fast would keep the file for nothing. */
function isWorthMapping(memory: WebAssembly.Memory, byteLength: number, kernel: Kernel): boolean {
  const { pagesKnown, pagesUnknown } = COPIED_BYTES_MAX;
  if (byteLength <= (kernel.privatePages === undefined ? pagesUnknown : pagesKnown)) return false;
  return reservationOf(memory, kernel) !== undefined;
}

class MappedImage implements MemoryImage {
  readonly kind = "copy-on-write";
  readonly byteLength: number;
  readonly #file: MemoryFile;
  readonly #kernel: Kernel;
  #hasWarned = false;

  constructor(byteLength: number, file: MemoryFile, kernel: Kernel) {
    this.byteLength = byteLength;
    this.#file = file;
    this.#kernel = kernel;
  }

  attach(memory: WebAssembly.Memory): AttachedMemory {
    const { fd } = this.#file;
    assert(fd !== undefined, "Cannot attach a memory: the image has been closed");
    claim(memory, this.byteLength);
    const kernel = this.#kernel;
    const reservation = reservationOf(memory, kernel);
    if (reservation !== undefined) {
      const options = { base: reservation.base, kernel, imageBytes: this.byteLength };
      const errno = overlay({ ...options, fd });
      if (errno === 0) return new OverlaidMemory(memory, { ...options, file: this.#file });
      this.#warn(errno);
    }
    const content = this.#file.content();
    assert(content !== undefined, "Cannot read the image of a memory back");
    return new CopiedMemory(memory, content, { kernel, reservation });
  }

  #warn(errno: number): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const cause = errno === ENOMEM ? ": there are too many mappings, raise vm.max_map_count" : "";
    log.warn(`image cannot be mapped and is copied into sandboxes${cause}`, { errno });
  }

  close(): void {
    this.#file.close();
  }
}

class CopiedImage implements MemoryImage {
  readonly kind = "copy";
  readonly byteLength: number;
  readonly #kernel: Kernel | undefined;
  #content: Uint8Array | undefined;

  constructor(byteLength: number, bytes: Uint8Array, kernel: Kernel | undefined) {
    this.byteLength = byteLength;
    this.#kernel = kernel;
    this.#content = contentOf(bytes, CONTENT_UNIT_BYTES);
  }

  attach(memory: WebAssembly.Memory): AttachedMemory {
    const content = this.#content;
    assert(content !== undefined, "Cannot attach a memory: the image has been closed");
    claim(memory, this.byteLength);
    const kernel = this.#kernel;
    const reservation = kernel === undefined ? undefined : reservationOf(memory, kernel);
    return new CopiedMemory(memory, content, { kernel, reservation });
  }

  close(): void {
    this.#content = undefined;
  }
}

/** bytes; zeros at the end of an image are told from its contents in this unit. */
const CONTENT_UNIT_BYTES = 4096;

const attached = new WeakSet<WebAssembly.Memory>();

/** Twice would leave the first image under the second where it is longer. */
function claim(memory: WebAssembly.Memory, imageBytes: number): void {
  const { byteLength } = memory.buffer;
  assert(
    byteLength >= imageBytes,
    `Cannot attach a memory of ${byteLength} bytes to an image of ${imageBytes}: grow it first`,
  );
  assert(!attached.has(memory), "Cannot attach a memory: it is attached already");
  attached.add(memory);
}
