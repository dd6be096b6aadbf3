import { assert } from "../../base/assert.ts";
import { GatewayError } from "../../base/errors.ts";
import type { CallOutOutcome, PluginHost } from "../../filter/filter.ts";
import type { GuestMemory } from "../../wasm/guest-memory.ts";
import { classifyTrap, GuestExit } from "../../wasm/trap.ts";
import { LineBuffer } from "../wasi/line-buffer.ts";
import type { WasiHost } from "../wasi/wasi.ts";
import type { Stream } from "./context.ts";
import { CallAnswer, CallOuts } from "./call-outs.ts";
import { ALLOCATOR_NAMES, type CallbackName, type GuestExports } from "./exports.ts";
import type { GuestLog } from "./guest-log.ts";
import type { Metrics } from "./metrics.ts";
import { Tick } from "./tick.ts";
import { type AbiVersion, FIRST_STREAM_ID, ROOT_CONTEXT_ID, Status } from "./types.ts";
import type { VmScope } from "./vm-scope.ts";

/** What belongs to a configured plugin and outlives its guests. */
export interface PluginResources {
  readonly host: PluginHost;
  readonly log: GuestLog;
  readonly metrics: Metrics;
  readonly scope: VmScope;
}

/**
 * One running instance of a plugin: its memory, its contexts, and the rules of entering it.
 *
 *   event loop ──call()──▶ guest ──▶ host function ──defer()──┐
 *        ◀── return ◀──────────────────────┘                  │
 *        ──────────────── deferred actions, in order ◀────────┘
 *
 * Nobody enters a guest that is running; what a host function sets off (a resumed stream, a local
 * response, a queue's event) happens when the outermost call has returned. The allocator is the one
 * exception, and host functions refuse to work meanwhile. A guest that ends a call by a trap is
 * never entered again: its stack and its locks are in an unknown state.
 */
export class Guest implements WasiHost {
  readonly abi: AbiVersion;
  readonly resources: PluginResources;
  readonly streams = new Map<number, Stream>();
  readonly tick: Tick;
  readonly callOuts: CallOuts;
  exports: GuestExports = {};
  /** True inside `proxy_on_configure`, for `proxy_get_configuration`. */
  configuring = false;
  /** Answer of the call-out whose callback runs. */
  answer: CallAnswer | undefined;
  /** Called by `proxy_done` when `proxy_on_done` has answered "not yet". */
  pendingDone: (() => void) | undefined;
  /** What `proxy_get_status` says. */
  status: { code: number; message: string } = { code: 0, message: "" };
  /** The context that host functions work on; undefined: the root context, or none. */
  stream: Stream | undefined;
  #memory: GuestMemory | undefined;
  #allocator: GuestExports[string];
  #running = false;
  #allocating = false;
  #inContext = false;
  #failure: GatewayError | undefined;
  /** What a host function threw: a guest that catches it must not go on all the same. */
  #thrown: unknown;
  #deferred: (() => void)[] = [];
  readonly #stdout: LineBuffer;
  readonly #stderr: LineBuffer;
  #nextStreamId = FIRST_STREAM_ID;

  constructor(abi: AbiVersion, resources: PluginResources) {
    this.abi = abi;
    this.resources = resources;
    this.#stdout = new LineBuffer((line) => resources.log.write("info", line));
    this.#stderr = new LineBuffer((line) => resources.log.write("error", line));
    this.tick = new Tick(() => this.deliver("proxy_on_tick"));
    this.callOuts = new CallOuts(resources.host, (id, outcome) => this.#answered(id, outcome));
  }

  attach(memory: GuestMemory, exports: GuestExports): void {
    this.#memory = memory;
    this.exports = exports;
    this.#allocator = exports[ALLOCATOR_NAMES[0]] ?? exports[ALLOCATOR_NAMES[1]];
  }

  get name(): string {
    return this.resources.host.name;
  }

  get memory(): GuestMemory {
    assert(this.#memory !== undefined, "Cannot reach a guest's memory before it is attached");
    return this.#memory;
  }

  get environment(): Readonly<Record<string, string>> {
    return this.resources.host.environment;
  }

  /** Why it cannot be entered any more. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** True while host functions may work: in a context's callback, and not while allocating. */
  get callable(): boolean {
    return this.#inContext && !this.#allocating;
  }

  takeStreamId(): number {
    while (this.streams.has(this.#nextStreamId)) this.#advanceStreamId();
    const id = this.#nextStreamId;
    this.#advanceStreamId();
    return id;
  }

  /**
   * The outermost call: runs an export in a context. Nothing happens when there is no such export.
   * @param stream whose context it is; undefined: the root's
   * @returns what the export answers; undefined when it answers nothing or does not exist
   * @throws GatewayError FILTER_FAILED when the guest is, or by this call gets, unusable
   */
  call(
    name: CallbackName,
    stream: Stream | undefined,
    a: number,
    b = 0,
    c = 0,
    d = 0,
    e = 0,
  ): number | undefined {
    const callback = this.exports[name];
    if (this.#failure !== undefined) throw this.#failure;
    if (callback === undefined) return undefined;
    this.#assertIdle(name);
    this.stream = stream;
    this.#inContext = true;
    return this.enter(name, stream, () => callback(a, b, c, d, e));
  }

  /** As call(), for what runs before there are contexts: most host functions refuse to work. */
  enter(
    name: string,
    stream: Stream | undefined,
    body: () => number | undefined,
  ): number | undefined {
    this.#assertIdle(name);
    this.#running = true;
    let result: number | undefined;
    try {
      result = body();
    } catch (error) {
      this.#thrown ??= error;
    }
    this.#running = false;
    this.#inContext = false;
    this.stream = undefined;
    if (this.#thrown !== undefined) throw this.#fail(name, this.#thrown, stream);
    this.#endLines();
    this.#settle();
    return result;
  }

  /**
   * An event of the event loop for the root context. When it fails, the log and the streams that
   * live here learn of it, and nobody else needs to.
   */
  deliver(name: CallbackName, b = 0, c = 0, d = 0, e = 0): void {
    if (this.#failure !== undefined) return;
    try {
      this.call(name, undefined, ROOT_CONTEXT_ID, b, c, d, e);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  /** Runs the action once nobody is inside the guest: now, or after the outermost call. */
  whenIdle(action: () => void): void {
    if (this.#running) this.defer(action);
    else action();
  }

  /** Runs the action when the outermost call has returned, unless the guest fails in it. */
  defer(action: () => void): void {
    this.#deferred.push(action);
  }

  /**
   * Hands bytes to the guest: its own memory, allocated by it, and where to find it.
   * @param lengthPtr 0 when it does not want to know, as the address may be for foreign functions
   */
  give(bytes: Uint8Array, resultPtr: number, lengthPtr: number): Status {
    const { memory } = this;
    if (!memory.contains(resultPtr, 4) || !memory.contains(lengthPtr, 4)) {
      return Status.InvalidMemoryAccess;
    }
    let ptr = 0;
    if (bytes.byteLength > 0) {
      ptr = this.#allocate(bytes.byteLength);
      if (ptr === 0 || !memory.write(ptr, bytes)) return Status.InvalidMemoryAccess;
    }
    memory.writeU32(resultPtr, ptr);
    memory.writeU32(lengthPtr, bytes.byteLength);
    return Status.Ok;
  }

  /** As give(), for text of chars up to U+00FF. */
  giveLatin1(text: string, resultPtr: number, lengthPtr: number): Status {
    const { memory } = this;
    if (!memory.contains(resultPtr, 4) || !memory.contains(lengthPtr, 4)) {
      return Status.InvalidMemoryAccess;
    }
    let ptr = 0;
    if (text.length > 0) {
      ptr = this.#allocate(text.length);
      if (ptr === 0 || !memory.writeLatin1(ptr, text)) return Status.InvalidMemoryAccess;
    }
    memory.writeU32(resultPtr, ptr);
    memory.writeU32(lengthPtr, text.length);
    return Status.Ok;
  }

  /** A host function threw; the guest will not go on, whatever it makes of it. */
  noteThrown(error: unknown): void {
    this.#thrown ??= error;
  }

  /** Stops everything that would enter the guest later. Idempotent. */
  stop(reason: GatewayError): void {
    this.#failure ??= reason;
    this.#deferred = [];
    this.tick.stop();
    this.callOuts.cancelAll();
  }

  // For WASI.

  print(fd: 1 | 2, text: string): void {
    (fd === 1 ? this.#stdout : this.#stderr).add(text);
  }

  /** A command that ends with 0 has only returned from `_start`; its instance is kept. */
  exit(code: number): never {
    const exit = new GuestExit(code);
    if (code !== 0) this.noteThrown(exit);
    throw exit;
  }

  #assertIdle(name: string): void {
    assert(!this.#running, `Cannot enter ${this.name} by ${name}: it is running`);
  }

  #advanceStreamId(): void {
    this.#nextStreamId =
      this.#nextStreamId >= STREAM_ID_MAX ? FIRST_STREAM_ID : this.#nextStreamId + 1;
  }

  /** @param byteLength above 0: Go's allocator panics on nothing */
  #allocate(byteLength: number): number {
    assert(byteLength > 0, "Cannot allocate nothing in a guest");
    this.#allocating = true;
    try {
      return (this.#allocator?.(byteLength) ?? 0) >>> 0;
    } finally {
      this.#allocating = false;
    }
  }

  #answered(id: number, outcome: CallOutOutcome): void {
    this.whenIdle(() => {
      const answer = new CallAnswer(outcome);
      this.answer = answer;
      this.status = answer.status;
      const { headerCount, bodyBytes, trailerCount } = answer;
      this.deliver("proxy_on_http_call_response", id, headerCount, bodyBytes, trailerCount);
      this.answer = undefined;
    });
  }

  #settle(): void {
    while (this.#deferred.length > 0 && !this.#running) {
      const actions = this.#deferred;
      this.#deferred = [];
      for (const action of actions) action();
    }
  }

  #fail(name: string, error: unknown, caller: Stream | undefined): GatewayError {
    const trap = classifyTrap(error);
    this.#endLines();
    const failure = new GatewayError(
      "FILTER_FAILED",
      `${name} of plugin "${this.name}" failed: ${trap.message}`,
      { cause: error },
    );
    this.stop(failure);
    this.resources.log.tell("critical", `${name} failed: ${trap.message}`);
    const streams = [...this.streams.values()];
    this.streams.clear();
    // The caller's exchange learns of it from what we throw.
    for (const stream of streams) if (stream !== caller) stream.fail(failure);
    return failure;
  }

  /** What has been printed without a line end is a line when the guest returns. */
  #endLines(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}

/** Guests take ids as signed or unsigned 32-bit integers; below this both agree. */
const STREAM_ID_MAX = 0x7fff_ffff;
