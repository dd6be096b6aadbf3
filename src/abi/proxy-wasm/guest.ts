import { assert } from "../../base/assert.ts";
import { GatewayError } from "../../base/errors.ts";
import { LiveTable } from "../../base/live-table.ts";
import type { GuestMemory } from "../../wasm/guest-memory.ts";
import type { Metered } from "../../wasm/sandbox/metered.ts";
import { type Caller, type CallTime, GuestCore, type GuestExports } from "../guest/guest-core.ts";
import type { Stream } from "./context.ts";
import { callTime } from "./call-time.ts";
import { type CallAnswer, CallOuts, deliverAnswer } from "./call-outs.ts";
import { ALLOCATOR_NAMES, type CallbackName, type Callbacks, callbacksOf } from "./exports.ts";
import { GrpcCalls } from "./grpc-calls.ts";
import type { PluginResources } from "./resources.ts";
import { RootEvents, type RootState } from "./root-events.ts";
import { type AbiVersion, FIRST_STREAM_ID, ROOT_CONTEXT_ID, Status } from "./types.ts";

/**
 * A guest of the Proxy-Wasm ABI: its contexts, and what its root context has asked for. The rules
 * of entering it are GuestCore's; the allocator is the one exception from them, and host functions
 * refuse to work meanwhile.
 */
export class Guest extends GuestCore<RootState, PluginResources> {
  readonly abi: AbiVersion;
  readonly streams = new LiveTable<Stream>();
  readonly rootEvents: RootEvents;
  readonly callOuts: CallOuts;
  readonly grpc = new GrpcCalls(this);
  /** Of a callback that has all of limits.deadline. */
  readonly deadline: CallTime;
  /** Its root context is being set up: its callbacks may take longer. */
  starting = false;
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
  #callbacks: Callbacks = callbacksOf({});
  #allocator: GuestExports[string];
  #allocating = false;
  #inContext = false;
  #nextStreamId = FIRST_STREAM_ID;

  constructor(abi: AbiVersion, resources: PluginResources, hasEvents = true) {
    super(resources);
    this.abi = abi;
    this.deadline = { ms: resources.settings.limits.deadlineMs, word: "limits.deadline" };
    this.rootEvents = new RootEvents(
      hasEvents,
      resources,
      (name, id) => this.deliver(name, id),
      () => this.failure === undefined,
    );
    this.callOuts = new CallOuts(resources.host, (id, outcome) => {
      this.whenIdle(() => deliverAnswer(this, id, outcome));
    });
  }

  override attach(memory: GuestMemory, exports: GuestExports, metered?: Metered): void {
    super.attach(memory, exports, metered);
    this.#callbacks = callbacksOf(this.exports);
    this.#allocator = exports[ALLOCATOR_NAMES[0]] ?? exports[ALLOCATOR_NAMES[1]];
  }

  /** True while host functions may work: in a context's callback, and not while allocating. */
  get callable(): boolean {
    return this.#inContext && !this.#allocating;
  }

  takeStreamId(): number {
    const id = this.streams.free(this.#nextStreamId, FIRST_STREAM_ID);
    this.#nextStreamId = id + 1;
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
    const callback = this.#callbacks[name];
    if (this.failure !== undefined) throw this.failure;
    if (callback === undefined) return undefined;
    const time = callTime(this, stream);
    this.begin(name, time);
    this.stream = stream;
    this.#inContext = true;
    let result: number | undefined;
    try {
      result = callback(a, b, c, d, e);
    } catch (error) {
      this.noteThrown(error);
    }
    this.finish(name, stream, time);
    return result;
  }

  /**
   * An event of the event loop for the root context. When it fails, the log and the streams that
   * live here learn of it, and nobody else needs to.
   */
  deliver(name: CallbackName, b = 0, c = 0, d = 0, e = 0): void {
    if (this.failure !== undefined) return;
    try {
      this.call(name, undefined, ROOT_CONTEXT_ID, b, c, d, e);
      this.resources.health.succeeded();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  override get isAtRest(): boolean {
    return !this.running && this.streams.size === 0 && this.callOuts.size + this.grpc.size === 0;
  }

  override get state(): RootState {
    return this.rootEvents.state;
  }

  override get hasEvents(): boolean {
    const { tickMs, received } = this.rootEvents.state;
    return tickMs > 0 || received.size > 0;
  }

  override get callers(): number {
    return this.streams.size;
  }

  override adopt(root: RootState): void {
    this.rootEvents.adopt(root);
  }

  override retire(): void {
    this.rootEvents.end();
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

  protected override dropCallers(): Caller[] {
    const streams = this.streams.values();
    this.streams.clear();
    return streams;
  }

  protected override left(): void {
    this.#inContext = false;
    this.stream = undefined;
  }

  protected override halted(): void {
    this.rootEvents.stop();
    this.callOuts.cancelAll();
    this.grpc.cancelAll();
  }

  protected override reset(): void {
    this.#nextStreamId = FIRST_STREAM_ID;
    this.streams.clear();
    this.callOuts.forget();
    this.grpc.forget();
    this.starting = false;
    this.configuring = false;
    this.answer = undefined;
    this.pendingDone = undefined;
    this.status = { code: 0, message: "" };
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
}
