import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type {
  GuestTrace,
  ImportedFunction,
  ImportedModules,
  TracedFunction,
  TracedMemory,
} from "../filter/guest-trace.ts";
import { GuestExit } from "../wasm/trap.ts";
import { type Args, readIns, readOuts, readResult, type Shape } from "./shape.ts";
import { callbackShape, callShape } from "./shapes.ts";
import type { CallEvent, RunEvent, Values } from "./transcript.ts";

/** What a guest gets in place of what the machine has, so that runs are alike. */
export interface Replacements {
  /** ns since 1970 */
  lookNs(): bigint;
  random(byteLength: number): Uint8Array;
}

/** Writes down what passes between guests and host. */
export class Recorder implements GuestTrace {
  readonly events: RunEvent[] = [];
  readonly failures: string[] = [];
  /** Callbacks that the first of them exports. */
  callbacks: readonly string[] = [];
  /** Guests that have come to life. */
  guests = 0;
  /** There was more to write down than is allowed. */
  full = false;
  readonly #replacements: Replacements;
  readonly #eventsMax: number;
  #depth = 0;
  #bytes = 0;

  constructor(replacements: Replacements, eventsMax: number) {
    this.#replacements = replacements;
    this.#eventsMax = eventsMax;
  }

  get depth(): number {
    return this.#depth;
  }

  /** @returns the event, which may be completed later */
  add<T extends RunEvent>(event: T): T {
    if (this.events.length >= this.#eventsMax) this.full = true;
    else if (this.#bytes >= LIMITS.transcriptBytesMax) this.full = true;
    else this.events.push(event);
    return event;
  }

  note(text: string): void {
    this.add({ kind: "note", depth: this.#depth, text });
  }

  imports(modules: ImportedModules, memory: () => TracedMemory): ImportedModules {
    this.guests++;
    return Object.fromEntries(
      Object.entries(modules).map(([module, functions]) => [
        module,
        Object.fromEntries(
          Object.entries(functions).map(([name, body]) => [
            name,
            this.#observed(module, name, body, memory),
          ]),
        ),
      ]),
    );
  }

  exports<T extends Readonly<Partial<Record<string, TracedFunction>>>>(functions: T): T {
    const observed: Record<string, TracedFunction | undefined> = Object.create(null);
    if (this.guests <= 1) {
      this.callbacks = Object.keys(functions).filter((name) => callbackShape(name) !== undefined);
    }
    for (const [name, body] of Object.entries(functions)) {
      const shape = callbackShape(name);
      observed[name] =
        body === undefined || shape === undefined ? body : this.#entered(name, body, shape);
    }
    return observed as T;
  }

  #observed(
    module: string,
    name: string,
    body: ImportedFunction,
    memory: () => TracedMemory,
  ): ImportedFunction {
    const shape = callShape(module, name);
    const run = body as (...args: Args) => number | bigint | void;
    const replaced = REPLACED[name];
    return (...args: Args): number | bigint | void => {
      const event = this.add<CallEvent>({
        kind: "call",
        depth: this.#depth,
        module,
        name,
        args: this.#counted(readIns(shape, args, memory())),
        result: null,
        outs: {},
      });
      this.#depth++;
      try {
        if (this.full) throw new Error("the transcript is full");
        const result = run(...args);
        event.result = readResult(shape, result);
        if (succeeded(shape, result)) {
          replaced?.(args, memory(), this.#replacements);
          event.outs = this.#counted(readOuts(shape, args, memory(), result));
        }
        return result;
      } catch (error) {
        event.failed = messageOf(error);
        throw error;
      } finally {
        this.#depth--;
      }
    };
  }

  #entered(name: string, body: TracedFunction, shape: Shape): TracedFunction {
    return (...args) => {
      const depth = this.#depth;
      this.add({ kind: "callback", depth, name, args: readIns(shape, args, NO_MEMORY) });
      this.#depth++;
      try {
        const result = body(...args);
        this.add({ kind: "return", depth, name, result: readResult(shape, result) });
        return result;
      } catch (error) {
        if (error instanceof GuestExit && error.exitCode === 0) {
          // How the runtime of a command ends: it is no failure.
          this.add({ kind: "return", depth, name, result: null });
          throw error;
        }
        const failed = messageOf(error);
        this.failures.push(`${name}: ${failed}`);
        this.add({ kind: "return", depth, name, result: null, failed });
        throw error;
      } finally {
        this.#depth = depth;
      }
    };
  }

  #counted(values: Values): Values {
    for (const value of Object.values(values)) {
      if (typeof value === "string") this.#bytes += value.length;
      else if (Array.isArray(value)) {
        for (const [name, text] of value) this.#bytes += name.length + text.length;
      }
    }
    return values;
  }
}

/** Callbacks hand over numbers only. */
const NO_MEMORY: TracedMemory = {
  contains: () => false,
  read: () => undefined,
  readU32: () => undefined,
  write: () => false,
};

/** A function without a status has no way to fail but a trap. */
export function succeeded({ result }: Shape, value: number | bigint | void): boolean {
  return (result !== "status" && result !== "errno") || value === 0;
}

type Replace = (args: Args, memory: TracedMemory, by: Replacements) => void;

/** What the real function has written is written over, so that its checks remain. */
const REPLACED: Readonly<Record<string, Replace>> = {
  proxy_get_current_time_nanoseconds: ([ptr], memory, by) => writeTime(ptr, memory, by),
  clock_time_get: ([, , ptr], memory, by) => writeTime(ptr, memory, by),
  random_get: ([ptr, byteLength], memory, by) => {
    memory.write(Number(ptr), by.random(Number(byteLength) >>> 0));
  },
};

function writeTime(ptr: number | bigint | undefined, memory: TracedMemory, by: Replacements): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(by.lookNs());
  memory.write(Number(ptr ?? 0), bytes);
}
