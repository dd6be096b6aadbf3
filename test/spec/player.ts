/** Plays a script with one variant and says what came of each command. */
import { ModuleError } from "../../src/wasm/binary/module-error.ts";
import { type FunctionType, readOutline } from "../../src/wasm/binary/outline.ts";
import { bridge } from "./bridge.ts";
import type { Action, Command, Expected, Script } from "./script.ts";
import { fits, lowerArguments, plainArguments, render } from "./values.ts";
import { liftResults, plainResults, type Result } from "./values.ts";
import { type Live, prepare, type Prepared, start, type Variant } from "./variant.ts";

/**
 * as asserted: the assertion holds (or the module started).
 * refused: our reader or rewriter does not take the module, or one that this command needs.
 * otherwise: what came instead.
 */
export type Verdict = "as asserted" | "refused" | "otherwise";

export interface Played {
  readonly line: number;
  readonly kind: Command["kind"];
  readonly verdict: Verdict;
  /** Equal text for equal behaviour. */
  readonly outcome: string;
}

interface Module extends Live {
  readonly types: ReadonlyMap<string, FunctionType>;
  readonly bridges: Map<string, ReturnType<typeof bridge>>;
}

/** Why a name has no module. */
interface Missing {
  readonly missing: string;
}

export function play(script: Script, variant: Variant): Played[] {
  const player = new Player(variant);
  return script.commands.map((command) => {
    const { line, kind } = command;
    return { line, kind, ...player.play(command) };
  });
}

const NO_INSTANCE = "no instance";

type Outcome = Pick<Played, "verdict" | "outcome">;

class Player {
  readonly #variant: Variant;
  readonly #imports: Bun.WebAssembly.Imports = { spectest: spectest() };
  readonly #modules = new Map<string, Module | Missing>();
  readonly #definitions = new Map<string, Prepared | Missing>();
  readonly #missingImports = new Map<string, Missing>();
  readonly #live: Live[] = [];
  #last: Module | Missing = { missing: "no module came before" };
  #lastDefinition: Prepared | Missing = { missing: "no definition came before" };

  constructor(variant: Variant) {
    this.#variant = variant;
  }

  play(command: Command): Outcome {
    switch (command.kind) {
      case "module":
        return this.#module(command.name, this.#prepare(command.bytes), command.bytes);
      case "definition":
        this.#lastDefinition = this.#prepare(command.bytes);
        if (command.name !== undefined) this.#definitions.set(command.name, this.#lastDefinition);
        return outcomeOf(this.#lastDefinition);
      case "instance":
        return this.#module(
          command.name,
          command.definition === undefined
            ? this.#lastDefinition
            : (this.#definitions.get(command.definition) ?? { missing: "unknown definition" }),
          undefined,
        );
      case "register":
        return this.#register(command.name, command.as);
      case "refused":
        return this.#refused(command.bytes);
      case "unlinkable": {
        const prepared = this.#prepare(command.bytes);
        if ("missing" in prepared) return outcomeOf(prepared);
        const made = this.#start(prepared, undefined);
        if (!("missing" in made)) return { verdict: "otherwise", outcome: "started" };
        return made.missing.startsWith(NO_INSTANCE)
          ? { verdict: "as asserted", outcome: NO_INSTANCE }
          : outcomeOf(made);
      }
      case "action":
        return this.#action(command.action, undefined, ["values"]);
      case "return":
        return this.#action(command.action, command.expected, ["values"]);
      case "trap":
        return this.#action(command.action, undefined, ["trap"]);
      case "exception":
        return this.#action(command.action, undefined, ["exception"]);
      default:
        return command satisfies never;
    }
  }

  #prepare(bytes: Uint8Array): Prepared | Missing {
    try {
      return prepare(bytes, this.#variant);
    } catch (error) {
      // What the engine does not know is not our matter, as long as it did not know it before.
      if (error instanceof ModuleError) return { missing: `${error.code} ${error.message}` };
      return { missing: `the engine refuses it: ${String(error)}` };
    }
  }

  #module(
    name: string | undefined,
    prepared: Prepared | Missing,
    bytes: Uint8Array | undefined,
  ): Outcome {
    const made = "missing" in prepared ? prepared : this.#start(prepared, bytes);
    this.#last = made;
    if (name !== undefined) this.#modules.set(name, made);
    return outcomeOf(made);
  }

  #start(prepared: Prepared, bytes: Uint8Array | undefined): Module | Missing {
    for (const { module } of WebAssembly.Module.imports(prepared.module)) {
      const missing = this.#missingImports.get(module);
      if (missing !== undefined) return missing;
    }
    this.#refuel();
    const started = attempt(() => start(prepared, this.#imports));
    if ("error" in started) return { missing: `${NO_INSTANCE}: ${started.error}` };
    this.#live.push(started.value);
    const types = bytes === undefined ? new Map() : exportTypes(bytes);
    return { ...started.value, types, bridges: new Map() };
  }

  #register(name: string | undefined, as: string): Outcome {
    const module = this.#moduleOf(name);
    if ("missing" in module) {
      this.#missingImports.set(as, module);
      return outcomeOf(module);
    }
    this.#missingImports.delete(as);
    this.#imports[as] = module.exports;
    return outcomeOf(module);
  }

  #refused(bytes: Uint8Array): Outcome {
    const prepared = this.#prepare(bytes);
    return "missing" in prepared
      ? { verdict: "as asserted", outcome: "refused" }
      : { verdict: "otherwise", outcome: "taken" };
  }

  #action(
    action: Action,
    expected: readonly Expected[] | undefined,
    allowed: readonly Ending["how"][],
  ): Outcome {
    const module = this.#moduleOf(action.module);
    if ("missing" in module) return outcomeOf(module);
    this.#refuel();
    const ending = run(module, action, expected ?? []);
    const right =
      allowed.includes(ending.how) &&
      (ending.how !== "values" ||
        expected === undefined ||
        (ending.results.length === expected.length &&
          expected.every((each, n) => fits(ending.results[n], each))));
    const text = ending.how === "values" ? ending.results.map(render).join(", ") : ending.what;
    // Results that are right are equal but for what a NaN may say, which vectors hide.
    const outcome = right && expected !== undefined ? "right" : `${ending.how}: ${text}`;
    return { verdict: right ? "as asserted" : "otherwise", outcome };
  }

  #moduleOf(name: string | undefined): Module | Missing {
    if (name === undefined) return this.#last;
    return this.#modules.get(name) ?? { missing: `module ${name} is unknown` };
  }

  #refuel(): void {
    for (const { refuel } of this.#live) refuel();
  }
}

function outcomeOf(made: object | Missing): Outcome {
  if (!("missing" in made)) return { verdict: "as asserted", outcome: "started" };
  const ours = /^[A-Z_]+ Cannot /.test(made.missing);
  return { verdict: ours ? "refused" : "otherwise", outcome: made.missing };
}

type Ending =
  | { readonly how: "values"; readonly results: readonly Result[] }
  | { readonly how: "trap" | "exception" | "error"; readonly what: string };

function run(module: Module, action: Action, expected: readonly Expected[]): Ending {
  const found = module.exports[action.field];
  try {
    if (action.kind === "get") {
      const { value } = found as WebAssembly.Global;
      return { how: "values", results: plainResults(value, expected) };
    }
    if (typeof found !== "function") return { how: "error", what: "no such function" };
    const type = module.types.get(action.field);
    const bridged = type && (module.bridges.get(action.field) ?? bridge(found, type));
    if (type === undefined || bridged === undefined) {
      const returned = found(...plainArguments(action.args));
      return { how: "values", results: plainResults(returned, expected) };
    }
    module.bridges.set(action.field, bridged);
    const returned = bridged(...lowerArguments(action.args));
    return { how: "values", results: liftResults(returned, type) };
  } catch (error) {
    return { how: endingOf(error), what: nameOf(error) };
  }
}

/** What an instruction `throw` throws; Bun's types do not have it. */
const THROWN = (WebAssembly as unknown as { Exception: new () => Error }).Exception;

/** An overflow of the stack is a trap; when it comes depends on how deep JavaScript is already. */
function endingOf(error: unknown): "trap" | "exception" | "error" {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return "trap";
  return error instanceof THROWN ? "exception" : "error";
}

/** The first words say which trap; the rest quotes JavaScript. */
function nameOf(error: unknown): string {
  return String(error).replace(/ \(evaluating .*$/s, "");
}

function attempt<T>(action: () => T): { readonly value: T } | { readonly error: string } {
  try {
    return { value: action() };
  } catch (error) {
    return { error: nameOf(error) };
  }
}

/** Without the types of a module that our reader refuses, calls go without a bridge. */
function exportTypes(bytes: Uint8Array): Map<string, FunctionType> {
  const types = new Map<string, FunctionType>();
  try {
    for (const { name, type } of readOutline(bytes).exports) {
      if (type !== undefined) types.set(name, type);
    }
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
  }
  return types;
}

function nothing(): void {}

/** The host module that the specification's scripts import. */
function spectest(): Bun.WebAssembly.ModuleImports {
  const prints = ["", "_i32", "_i64", "_f32", "_f64", "_i32_f32", "_f64_f64"];
  return {
    ...Object.fromEntries(prints.map((suffix) => [`print${suffix}`, nothing])),
    global_i32: new WebAssembly.Global({ value: "i32" }, 666),
    global_i64: new WebAssembly.Global({ value: "i64" }, 666n),
    global_f32: new WebAssembly.Global({ value: "f32" }, 666.6),
    global_f64: new WebAssembly.Global({ value: "f64" }, 666.6),
    table: new WebAssembly.Table({ element: "anyfunc", initial: 10, maximum: 20 }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
}
