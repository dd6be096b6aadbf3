import { assert } from "../../../base/assert.ts";
import { GatewayError } from "../../../base/errors.ts";
import type { Body } from "../../../http/body.ts";
import type { HeaderList } from "../../../http/headers.ts";
import type { BodyDecoder } from "./body-decoder.ts";
import type { Input } from "./input.ts";

/** What a body needs of its connection. */
export interface BodySource {
  readonly input: Input;
  /** Somebody waits for bytes that have not arrived. */
  onBodyWanted(): void;
  /** Bytes have been taken from the input, or nobody waits any more. */
  onBodyTaken(): void;
}

/**
 * The body of one request, decoded when it is read: until then the bytes stay in the connection's
 * input, whose bound holds the client back.
 */
export class RequestBody implements Body {
  readonly length: number | undefined;
  readonly #source: BodySource;
  readonly #decoder: BodyDecoder;
  #state: "open" | "cancelled" | "failed" = "open";
  #error: unknown;
  #pending: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #read = false;
  #droppedBytes = 0;
  /** Why nothing more will arrive. */
  #cutOff: GatewayError | undefined;

  /** @param length bytes, undefined for a chunked body */
  constructor(source: BodySource, decoder: BodyDecoder, length: number | undefined) {
    this.#source = source;
    this.#decoder = decoder;
    this.length = length;
  }

  get trailers(): HeaderList | undefined {
    return this.#decoder.trailers;
  }

  get givesBuffer(): boolean {
    return this.#decoder.givesBuffer;
  }

  /** All its bytes, and nothing behind them, have been taken from the input. */
  get ended(): boolean {
    return this.#decoder.done;
  }

  /** It broke: where it ends is not known. */
  get failed(): boolean {
    return this.#state === "failed";
  }

  /** Nobody is about to read the rest. */
  get abandoned(): boolean {
    return !this.#decoder.done && (this.#state !== "open" || !this.#read);
  }

  /** bytes that are certain to follow. */
  get left(): number {
    return this.#decoder.left;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    assert(this.#pending === undefined, "Cannot read a request body twice at a time");
    this.#read = true;
    if (this.#state === "cancelled") return undefined;
    // oxlint-disable-next-line typescript/only-throw-error -- what fail() was given, a GatewayError
    if (this.#state === "failed") throw this.#error;
    if (this.#decoder.done) return undefined; // The source may be reading another request.
    const bytes = this.#next();
    this.#source.onBodyTaken();
    if (bytes !== undefined || this.#decoder.done) return bytes;
    if (this.#cutOff !== undefined) {
      this.fail(this.#cutOff);
      throw this.#cutOff;
    }
    this.#pending = Promise.withResolvers();
    const { promise } = this.#pending;
    this.#source.onBodyWanted();
    return promise;
  }

  cancel(): void {
    if (this.#state !== "open") return;
    this.#state = "cancelled";
    this.#settle(undefined);
  }

  /** The connection's input has grown. */
  onInput(): void {
    if (this.#pending === undefined) return;
    let bytes: Uint8Array | undefined;
    try {
      bytes = this.#next();
    } catch {
      return; // #next() has told the reader.
    }
    if (bytes !== undefined || this.#decoder.done) this.#settle(bytes);
  }

  /** What is in the input is all that will ever arrive: reads fail behind it. */
  cutOff(error: GatewayError): void {
    this.#cutOff = error;
    if (this.#pending !== undefined) this.fail(error);
  }

  /**
   * Takes what has arrived out of the input, for nobody.
   * @param bytesMax of all calls together
   * @returns "lost": more than that is left, or nobody can tell where it ends
   */
  drop(bytesMax: number): "ended" | "waiting" | "lost" {
    try {
      for (let bytes = this.#next(); bytes !== undefined; bytes = this.#next()) {
        this.#droppedBytes += bytes.length;
      }
    } catch {
      return "lost";
    }
    if (this.#decoder.done) return "ended";
    return this.#droppedBytes + this.#decoder.left > bytesMax ? "lost" : "waiting";
  }

  /** Breaks it: what has not been read will never be. Nothing happens after the end. */
  fail(error: unknown): void {
    if (this.#state !== "open" || this.#decoder.done) return;
    this.#state = "failed";
    this.#error = error;
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    // A reader that has turned away meanwhile must not end the process.
    pending.promise.catch(() => {});
    pending.reject(error);
    this.#source.onBodyTaken();
  }

  #next(): Uint8Array | undefined {
    try {
      return this.#decoder.next(this.#source.input);
    } catch (error) {
      this.fail(error); // The framing is lost: no later byte can be trusted.
      throw error;
    }
  }

  #settle(bytes: Uint8Array | undefined): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    pending.resolve(bytes);
    this.#source.onBodyTaken();
  }
}
