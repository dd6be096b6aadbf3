import { assert, AssertionError } from "../../base/assert.ts";
import { type FaultCode, GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { PluginHost } from "../../filter/filter.ts";
import type { GuestMemory } from "../../wasm/guest-memory.ts";
import type { Metered, Spent } from "../../wasm/sandbox/metered.ts";
import type { Sandbox } from "../../wasm/sandbox/sandbox.ts";
import { classifyTrap, GuestExit, GuestStopped, type TrapKind } from "../../wasm/trap.ts";
import { LineBuffer } from "../wasi/line-buffer.ts";
import type { WasiHost } from "../wasi/wasi.ts";
import type { GuestLog } from "./guest-log.ts";
import type { Health } from "./health.ts";
import type { GuestSettings } from "./settings.ts";

/** A guest function: i32 in, i32 or nothing out. */
export type GuestFunction = (
  a?: number,
  b?: number,
  c?: number,
  d?: number,
  e?: number,
) => number | undefined;

export type GuestExports = Readonly<Partial<Record<string, GuestFunction>>>;

/** What belongs to a configured plugin of any ABI and outlives its guests. */
export interface GuestResources {
  readonly host: PluginHost;
  readonly log: GuestLog;
  readonly settings: GuestSettings;
  readonly health: Health;
}

/** An exchange as far as its guest's rules go. */
export interface Caller {
  /** Time that its callbacks have taken so far, in ms. */
  spentMs: number;
  /** The guest that it lives in has failed. */
  fail(error: GatewayError): void;
}

/** How long a call may take, and the word of the YAML that says so. */
export interface CallTime {
  readonly ms: number;
  readonly word: string;
}

/**
 * One running instance of a plugin, whatever its ABI is: its memory and the rules of entering it.
 *
 *   event loop ──enter()──▶ guest ──▶ host function ──defer()──┐
 *        ◀── return ◀──────────────────────┘                   │
 *        ──────────────── deferred actions, in order ◀─────────┘
 *
 * Nobody enters a guest that is running; what a host function sets off happens when the outermost
 * call has returned. A guest that ends a call by a trap is not entered again, for its stack and its
 * locks are in an unknown state, until it has been put back to its image by restore().
 *
 * `State` is what a guest's start has left behind outside of its instance: a part of its image.
 */
export abstract class GuestCore<
  State,
  R extends GuestResources = GuestResources,
> implements WasiHost {
  readonly resources: R;
  exports: GuestExports = {};
  /** It has failed: somebody may want to put it back, later. */
  onFailure: (() => void) | undefined;
  #sandbox: Sandbox | undefined;
  #memory: GuestMemory | undefined;
  #metered: Metered | undefined;
  #running = false;
  #failure: GatewayError | undefined;
  /** What a host function threw: a guest that catches it must not go on all the same. */
  #thrown: unknown;
  #deferred: (() => void)[] = [];
  readonly #stdout: LineBuffer;
  readonly #stderr: LineBuffer;
  /** Host calls of the callback that runs. */
  #hostCalls = 0;
  #lives = 0;

  constructor(resources: R) {
    this.resources = resources;
    this.#stdout = new LineBuffer((line) => resources.log.write("info", line));
    this.#stderr = new LineBuffer((line) => resources.log.write("error", line));
  }

  abstract get state(): State;

  /** True when nothing is under way that a capture would cut off. */
  abstract get isAtRest(): boolean;

  /** It has asked to be called also when there is no exchange. */
  abstract get hasEvents(): boolean;

  /** Exchanges that live here. */
  abstract get callers(): number;

  /** Becomes what the guest was that had this state. */
  abstract adopt(state: State): void;

  /** Another guest has taken over: exchanges may end here, and nothing else happens. */
  abstract retire(): void;

  /** Forgets all exchanges. @returns them */
  protected abstract dropCallers(): Caller[];

  /** A call has returned, well or not. */
  protected abstract left(): void;

  /** It is not entered any more: what would do so later is stopped. */
  protected abstract halted(): void;

  /** A new life begins: everything but the state is as after the constructor. */
  protected abstract reset(): void;

  /** @param metered undefined: its calls may take as long as they like */
  attach(memory: GuestMemory, exports: GuestExports, metered?: Metered): void {
    this.#memory = memory;
    this.#metered = metered;
    this.exports = this.resources.host.trace?.exports(exports) ?? exports;
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

  get running(): boolean {
    return this.#running;
  }

  /**
   * The outermost call.
   * @param caller whose exchange it is; undefined: none's
   * @param time after which it is stopped
   * @throws GatewayError FILTER_FAILED, …_DEADLINE, … when the guest gets unusable by it
   */
  enter<T>(
    name: string,
    caller: Caller | undefined,
    body: () => T | undefined,
    time: CallTime,
  ): T | undefined {
    this.begin(name, time);
    let result: T | undefined;
    try {
      result = body();
    } catch (error) {
      this.#thrown ??= error;
    }
    this.finish(name, caller, time);
    return result;
  }

  /** First half of enter(), for callers that need no closure for each call. */
  protected begin(name: string, time: CallTime): void {
    this.assertIdle(name);
    this.#metered?.enter(time.ms, this.resources.settings.limits.fuel); // Throws if another runs.
    this.#running = true;
    this.#hostCalls = 0;
  }

  /** Second half, whether the guest has returned or noteThrown() was called. @throws as enter() */
  protected finish(name: string, caller: Caller | undefined, time: CallTime): void {
    const spent = this.#metered?.leave(this.#thrown !== undefined) ?? UNMETERED;
    if (caller !== undefined) caller.spentMs += spent.ms;
    this.#running = false;
    this.left();
    if (this.#thrown !== undefined) throw this.#fail(name, spent, caller, time);
    this.#endLines();
    if (this.#deferred.length > 0) this.#settle();
  }

  /**
   * A host function is called. What it does is bounded by itself; how often it may, by the
   * callback's deadline and by LIMITS.guestHostCallsMax.
   * @throws GuestStopped; and once more what a host function threw, when the guest caught that and
   *   goes on: it has failed already, and must change nothing any more
   */
  beginHostCall(): void {
    // oxlint-disable-next-line typescript/only-throw-error -- what a host function threw
    if (this.#thrown !== undefined) throw this.#thrown;
    if (this.#metered?.expired() === true) throw this.#stopped("deadline");
    if (++this.#hostCalls > LIMITS.guestHostCallsMax) throw this.#stopped("host calls");
  }

  /**
   * Puts everything back to the image: a pristine guest, whatever has happened in it.
   * @returns false when that is not possible; the guest is of no use any more then
   */
  restore(state: State): boolean {
    assert(!this.#running, `Cannot restore ${this.name}: it is running`);
    if (this.#sandbox === undefined || !this.#sandbox.restore()) return false;
    this.#lives++;
    this.#failure = undefined;
    this.#thrown = undefined;
    this.#deferred = [];
    this.reset();
    this.adopt(state);
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

  /** A host function threw; the guest will not go on, whatever it makes of it. */
  noteThrown(error: unknown): void {
    this.#thrown ??= error;
  }

  /** Stops everything that would enter the guest later, for good. Idempotent. */
  stop(reason: GatewayError): void {
    this.#halt(reason);
    this.retire();
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

  protected assertIdle(name: string): void {
    // No assert(): it would have to be given its text each time.
    if (!this.#running) return;
    throw new AssertionError(`Cannot enter ${this.name} by ${name}: it is running`);
  }

  #halt(reason: GatewayError): void {
    this.#failure ??= reason;
    this.#deferred = [];
    this.halted();
  }

  #stopped(kind: "deadline" | "host calls"): GuestStopped {
    const stopped = new GuestStopped(kind);
    this.noteThrown(stopped);
    return stopped;
  }

  #settle(): void {
    const life = this.#lives;
    while (this.#deferred.length > 0 && !this.#running) {
      const actions = this.#deferred;
      this.#deferred = [];
      for (const action of actions) if (life === this.#lives) action();
    }
  }

  #fail(name: string, spent: Spent, caller: Caller | undefined, time: CallTime): GatewayError {
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
    // The caller's exchange learns of it from what we throw.
    for (const each of this.dropCallers()) if (each !== caller) each.fail(failure);
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
