import { assert } from "../../base/assert.ts";
import { type FaultCode, GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { CallOutOutcome } from "../../filter/filter.ts";
import type { GuestMemory } from "../../wasm/guest-memory.ts";
import type { Metered, Spent } from "../../wasm/sandbox/metered.ts";
import type { Sandbox } from "../../wasm/sandbox/sandbox.ts";
import { classifyTrap, GuestExit, GuestStopped, type TrapKind } from "../../wasm/trap.ts";
import { LineBuffer } from "../wasi/line-buffer.ts";
import type { WasiHost } from "../wasi/wasi.ts";
import type { Stream } from "./context.ts";
import { type CallTime, callTime } from "./call-time.ts";
import { CallAnswer, CallOuts } from "./call-outs.ts";
import { ALLOCATOR_NAMES, type CallbackName, type GuestExports } from "./exports.ts";
import type { PluginResources } from "./resources.ts";
import { RootEvents, type RootState } from "./root-events.ts";
import { type AbiVersion, FIRST_STREAM_ID, ROOT_CONTEXT_ID, Status } from "./types.ts";

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
 * not entered again, for its stack and its locks are in an unknown state, until it has been put
 * back to its image by restore().
 */
export class Guest implements WasiHost {
  readonly abi: AbiVersion;
  readonly resources: PluginResources;
  readonly streams = new Map<number, Stream>();
  readonly rootEvents: RootEvents;
  readonly callOuts: CallOuts;
  exports: GuestExports = {};
  /** Its root context is being set up: its callbacks may take longer. */
  starting = false;
  /** True inside `proxy_on_configure`, for `proxy_get_configuration`. */
  configuring = false;
  /** Answer of the call-out whose callback runs. */
  answer: CallAnswer | undefined;
  /** Called by `proxy_done` when `proxy_on_done` has answered "not yet". */
  pendingDone: (() => void) | undefined;
  /** It has failed: somebody may want to put it back, later. */
  onFailure: (() => void) | undefined;
  /** What `proxy_get_status` says. */
  status: { code: number; message: string } = { code: 0, message: "" };
  /** The context that host functions work on; undefined: the root context, or none. */
  stream: Stream | undefined;
  #sandbox: Sandbox | undefined;
  #memory: GuestMemory | undefined;
  #metered: Metered | undefined;
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
  /** Host calls of the callback that runs. */
  #hostCalls = 0;
  #lives = 0;

  constructor(abi: AbiVersion, resources: PluginResources, hasEvents = true) {
    this.abi = abi;
    this.resources = resources;
    this.#stdout = new LineBuffer((line) => resources.log.write("info", line));
    this.#stderr = new LineBuffer((line) => resources.log.write("error", line));
    this.rootEvents = new RootEvents(hasEvents, resources, (name, id) => this.deliver(name, id));
    this.callOuts = new CallOuts(resources.host, (id, outcome) => this.#answered(id, outcome));
  }

  /** @param metered undefined: its calls may take as long as they like */
  attach(memory: GuestMemory, exports: GuestExports, metered?: Metered): void {
    this.#memory = memory;
    this.#metered = metered;
    this.exports = exports;
    this.#allocator = exports[ALLOCATOR_NAMES[0]] ?? exports[ALLOCATOR_NAMES[1]];
  }

  enterSandbox(sandbox: Sandbox): void {
    this.#sandbox = sandbox;
    this.attach(sandbox.memory, sandbox.exports, sandbox.metered);
  }

  get sandbox(): Sandbox {
    assert(this.#sandbox !== undefined, "Cannot reach a guest's sandbox before it is attached");
    return this.#sandbox;
  }

  /** How often it has been put back; a context of an earlier life is of no use any more. */
  get lives(): number {
    return this.#lives;
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
    return this.enter(name, stream, () => callback(a, b, c, d, e), callTime(this, stream));
  }

  /**
   * As call(), for what runs before there are contexts: most host functions refuse to work.
   * @param time after which it is stopped
   */
  enter(
    name: string,
    stream: Stream | undefined,
    body: () => number | undefined,
    time: CallTime,
  ): number | undefined {
    this.#assertIdle(name);
    this.#running = true;
    this.#hostCalls = 0;
    this.#metered?.enter(time.ms, this.resources.settings.limits.fuel);
    let result: number | undefined;
    try {
      result = body();
    } catch (error) {
      this.#thrown ??= error;
    }
    const spent = this.#metered?.leave(this.#thrown !== undefined) ?? UNMETERED;
    if (stream !== undefined) stream.spentMs += spent.ms;
    this.#running = false;
    this.#inContext = false;
    this.stream = undefined;
    if (this.#thrown !== undefined) throw this.#fail(name, spent, stream, time);
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
      this.resources.health.succeeded();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  /**
   * A host function is called. What it does is bounded by itself; how often it may, by the
   * callback's deadline and by LIMITS.guestHostCallsMax.
   * @throws GuestStopped, also when the guest caught the last one and goes on
   */
  beginHostCall(): void {
    if (this.#metered?.expired() === true) throw this.#stopped("deadline");
    if (++this.#hostCalls > LIMITS.guestHostCallsMax) throw this.#stopped("host calls");
  }

  /** True when nothing is under way that a capture would cut off. */
  get isAtRest(): boolean {
    return !this.#running && this.streams.size === 0 && this.callOuts.size === 0;
  }

  /**
   * Puts everything back to the image: a pristine guest, whatever has happened in it.
   * @returns false when that is not possible; the guest is of no use any more then
   */
  restore(root: RootState): boolean {
    assert(!this.#running, `Cannot restore ${this.name}: it is running`);
    if (this.#sandbox === undefined || !this.#sandbox.restore()) return false;
    this.#lives++;
    this.#failure = undefined;
    this.#thrown = undefined;
    this.#deferred = [];
    this.#nextStreamId = FIRST_STREAM_ID;
    this.streams.clear();
    this.callOuts.forget();
    this.starting = false;
    this.configuring = false;
    this.answer = undefined;
    this.pendingDone = undefined;
    this.status = { code: 0, message: "" };
    this.rootEvents.adopt(root);
    return true;
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

  /** Hands bytes to the guest: its own memory, allocated by it, and where to find it. */
  give(bytes: Uint8Array, resultPtr: number, lengthPtr: number): Status {
    const { memory } = this;
    if (!memory.contains(resultPtr, 4) || !memory.contains(lengthPtr, 4)) {
      return Status.InvalidMemoryAccess;
    }
    let ptr = 0;
    if (bytes.byteLength > 0) {
      ptr = this.allocate(bytes.byteLength);
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
      ptr = this.allocate(text.length);
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

  /** Stops everything that would enter the guest later, for good. Idempotent. */
  stop(reason: GatewayError): void {
    this.#halt(reason);
    this.rootEvents.end();
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

  #halt(reason: GatewayError): void {
    this.#failure ??= reason;
    this.#deferred = [];
    this.rootEvents.stop();
    this.callOuts.cancelAll();
  }

  #stopped(kind: "deadline" | "host calls"): GuestStopped {
    const stopped = new GuestStopped(kind);
    this.noteThrown(stopped);
    return stopped;
  }

  #assertIdle(name: string): void {
    assert(!this.#running, `Cannot enter ${this.name} by ${name}: it is running`);
  }

  #advanceStreamId(): void {
    const isLast = this.#nextStreamId >= STREAM_ID_MAX;
    this.#nextStreamId = isLast ? FIRST_STREAM_ID : this.#nextStreamId + 1;
  }

  /** @param byteLength above 0: Go's allocator panics on nothing. @returns 0 when there is none */
  allocate(byteLength: number): number {
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
    const life = this.#lives;
    while (this.#deferred.length > 0 && !this.#running) {
      const actions = this.#deferred;
      this.#deferred = [];
      for (const action of actions) if (life === this.#lives) action();
    }
  }

  #fail(name: string, spent: Spent, caller: Stream | undefined, time: CallTime): GatewayError {
    const trap = classifyTrap(this.#thrown, spent.over);
    const bound = trap.kind === "deadline" ? `: ${time.ms} ms (${time.word})` : "";
    const why = trap.message + bound;
    this.#endLines();
    const failure = new GatewayError(
      CODES[trap.kind] ?? "FILTER_FAILED",
      `${name} of plugin "${this.name}" failed: ${why}`,
      { cause: this.#thrown },
    );
    this.#halt(failure);
    this.resources.log.tell("critical", `${name} failed: ${why}`);
    this.resources.health.failed(trap.kind);
    const streams = [...this.streams.values()];
    this.streams.clear();
    // The caller's exchange learns of it from what we throw.
    for (const stream of streams) if (stream !== caller) stream.fail(failure);
    this.onFailure?.();
    return failure;
  }

  /** What has been printed without a line end is a line when the guest returns. */
  #endLines(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}

const CODES: Partial<Record<TrapKind, FaultCode>> = {
  deadline: "FILTER_DEADLINE",
  fuel: "FILTER_FUEL",
  "host calls": "FILTER_HOST_CALLS",
};

const UNMETERED: Spent = { ms: 0, over: undefined };

/** Guests take ids as signed or unsigned 32-bit integers; below this both agree. */
const STREAM_ID_MAX = 0x7fff_ffff;
