import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ALLOCATOR_NAMES, CALLED_NAMES } from "../abi/proxy-wasm/exports.ts";
import { WASI_MODULES } from "../abi/wasi/signatures.ts";
import { type WasiHost, wasiImports } from "../abi/wasi/wasi.ts";
import type { ImportedFunction } from "../filter/guest-trace.ts";
import { type LoadedModule, loadModule } from "../wasm/module.ts";
import { Sandbox } from "../wasm/sandbox/sandbox.ts";
import { GuestExit } from "../wasm/trap.ts";
import { succeeded } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import { RecordingError } from "./recording.ts";
import { type Asked, renderAsked, renderEvent } from "./render.ts";
import { type Args, readIns, readResult, type Shape, toNumber } from "./shape.ts";
import { callbackShape, callShape } from "./shapes.ts";
import type { CallbackEvent, CallEvent, ReturnEvent } from "./transcript.ts";
import { writeOuts } from "./write-outs.ts";

/** How a replay ended. */
export type Replayed =
  | { readonly same: true; readonly events: number }
  | { readonly same: false; readonly difference: Difference };

/** The first thing that is not as it was recorded; both sides as lines of a transcript. */
export interface Difference {
  /** Line of the recording, from 1; the last one when the recording has come to its end. */
  readonly line: number;
  /** The callback in which it happened, as a line; undefined: outside of all. */
  readonly within: string | undefined;
  readonly recorded: string;
  readonly now: string;
}

/**
 * Runs a module against a recording: callbacks come as they came, host calls answer what they
 * answered. It ends with the first difference, or where the recorded guest had failed. Nothing
 * else of a gateway takes part: another version of a plugin can be compared.
 * @param deadlineMs of each callback; generous, for a replay is not about time
 * @throws ModuleError, RecordingError when the recording is one of several guests
 */
export function replay(
  bytes: Uint8Array,
  recording: Recording,
  deadlineMs: number = LIMITS.guestDeadlineMsMax,
): Replayed {
  if (recording.guests !== 1) {
    throw new RecordingError(
      `Cannot replay this transcript: ${recording.guests} guests have run, and not one`,
    );
  }
  const module = loadModule(bytes, { memoryPages: LIMITS.guestPagesDefault, fuel: false });
  return new Replay(module, recording, deadlineMs).run();
}

/** Ends the guest's call; what is different is known already. */
class Differs extends Error {}

type Step = CallbackEvent | ReturnEvent | CallEvent;

class Replay {
  readonly #module: LoadedModule;
  readonly #recording: Recording;
  /** What takes part, each with its line. */
  readonly #steps: readonly { readonly line: number; readonly event: Step }[];
  readonly #sandbox: Sandbox;
  readonly #deadlineMs: number;
  #at = 0;
  #within: string | undefined;
  #difference: Difference | undefined;

  constructor(module: LoadedModule, recording: Recording, deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#module = module;
    this.#recording = recording;
    this.#steps = recording.events.flatMap((event, index) =>
      event.kind === "callback" || event.kind === "return" || event.kind === "call"
        ? [{ line: index + 2, event }]
        : [],
    );
    this.#sandbox = new Sandbox(module, this.#imports(), CALLED_NAMES);
  }

  run(): Replayed {
    try {
      this.#play();
    } catch (error) {
      if (!(error instanceof Differs)) throw error;
    } finally {
      this.#sandbox.discard();
    }
    const difference = this.#difference;
    if (difference !== undefined) return { same: false, difference };
    return { same: true, events: this.#at };
  }

  #play(): void {
    const { initialize, start } = this.#module.rewritten.names;
    for (const name of [initialize, start]) {
      if (name === undefined) continue;
      const failed = this.#enter(() => this.#sandbox.exports[name]?.()).failed;
      if (failed !== undefined) this.#differ(`its start fails: ${failed}`);
    }
    for (;;) {
      const step = this.#steps[this.#at];
      if (step === undefined) break;
      if (step.event.kind !== "callback") this.#differ("nothing: it was not called");
      else if (!this.#callback(step.event)) return;
    }
    this.#compareExports();
  }

  /** @returns false when the recorded guest failed in it: there is no more to compare */
  #callback(event: CallbackEvent): boolean {
    const { name, args } = event;
    const body = this.#sandbox.exports[name];
    const shape = callbackShape(name);
    if (body === undefined || shape === undefined) {
      return this.#differ(`the module does not export ${name}`);
    }
    this.#at++;
    this.#within = renderEvent(event);
    const numbers = shape.ins.map((field) => Number(toNumber(field.type, args[field.name])));
    const { result, failed } = this.#enter(() => body(...numbers));
    const now: ReturnEvent = {
      kind: "return",
      depth: event.depth,
      name,
      result: readResult(shape, result),
      ...(failed !== undefined && { failed }),
    };
    const recorded = this.#steps[this.#at]?.event;
    const isSame =
      recorded?.kind === "return" &&
      recorded.name === name &&
      (recorded.failed === undefined) === (failed === undefined) &&
      recorded.result === now.result;
    if (!isSame) this.#differ(renderEvent(now).trim());
    this.#at++;
    this.#within = undefined;
    return failed === undefined;
  }

  /** @throws Differs when a difference has been found inside */
  #enter(body: () => number | undefined): { result?: number | undefined; failed?: string } {
    const { metered } = this.#sandbox;
    metered.enter(this.#deadlineMs, 0);
    let failed: string | undefined;
    let result: number | undefined;
    try {
      result = body();
    } catch (error) {
      const isDone = error instanceof GuestExit && error.exitCode === 0;
      if (!isDone) failed = messageOf(error);
    }
    metered.leave(failed !== undefined);
    // Also when the guest has caught what ended it.
    if (this.#difference !== undefined) throw new Differs();
    return failed === undefined ? { result } : { failed };
  }

  #imports(): Record<string, Record<string, ImportedFunction>> {
    const wasi = wasiImports(this.#wasiHost());
    const modules: Record<string, Record<string, ImportedFunction>> = {};
    for (const { module, name } of this.#module.outline.imports) {
      const real = wasi[module]?.[name];
      (modules[module] ??= {})[name] = this.#imported(
        module,
        name,
        real as ImportedFunction | undefined,
      );
    }
    return modules;
  }

  #imported(module: string, name: string, real: ImportedFunction | undefined): ImportedFunction {
    const shape = callShape(module, name);
    return (...args: Args) => {
      if (this.#difference !== undefined) throw new Differs();
      const { memory } = this.#sandbox;
      const asked = readIns(shape, args, memory);
      const recorded = this.#steps[this.#at]?.event;
      if (recorded?.kind !== "call" || !isSameCall(recorded, { module, name, args: asked })) {
        return this.#differ(renderAsked({ name, module, args: asked }));
      }
      this.#at++;
      // What WASI leaves in memory and is not in a transcript: descriptors, the environment.
      (real as ((...args: Args) => unknown) | undefined)?.(...args);
      return this.#answer(shape, args, recorded);
    };
  }

  #answer(shape: Shape, args: Args, { result, outs, failed }: CallEvent): number | bigint | void {
    if (failed !== undefined) throw new Error(failed);
    const answer = toNumber(shape.result, result);
    if (succeeded(shape, answer)) {
      const { memory } = this.#sandbox;
      writeOuts(shape, args, outs, {
        memory,
        allocate: (byteLength) => this.#allocate(byteLength),
      });
    }
    return shape.result === "void" ? undefined : answer;
  }

  #allocate(byteLength: number): number {
    const { exports } = this.#sandbox;
    const allocator = exports[ALLOCATOR_NAMES[0]] ?? exports[ALLOCATOR_NAMES[1]];
    return (allocator?.(byteLength) ?? 0) >>> 0;
  }

  #wasiHost(): WasiHost {
    const sandbox = (): Sandbox => this.#sandbox;
    return {
      get memory() {
        return sandbox().memory;
      },
      environment: this.#recording.environment,
      print: () => {},
      exit: (code) => {
        throw new GuestExit(code);
      },
      beginHostCall: () => {},
    };
  }

  /** What the recorded module did not have was not called, so nobody knows what it would do. */
  #compareExports(): void {
    const recorded = new Set(this.#recording.callbacks);
    for (const name of Object.keys(this.#sandbox.exports)) {
      if (callbackShape(name) === undefined || recorded.has(name)) continue;
      this.#differ(`the module exports ${name}, which the recorded one did not`);
    }
  }

  /** @throws Differs */
  #differ(now: string): never {
    const step = this.#steps[this.#at];
    this.#difference = {
      line: step?.line ?? this.#recording.events.length + 1,
      within: this.#within,
      recorded: step === undefined ? "nothing more" : shown(step.event),
      now,
    };
    throw new Differs();
  }
}

function shown(event: Step): string {
  return event.kind === "call" ? renderAsked(event) : renderEvent(event).trim();
}

/** The two names of WASI stand for the same functions. */
function isSameCall(recorded: CallEvent, { module, name, args }: Asked): boolean {
  const isWasi = WASI_MODULES.includes(module) && WASI_MODULES.includes(recorded.module);
  if (recorded.name !== name || (recorded.module !== module && !isWasi)) return false;
  return Bun.deepEquals(recorded.args, args);
}
