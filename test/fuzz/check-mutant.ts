/** One damaged module: it is refused with a ModuleError, or it behaves as it did. */
import { ModuleError } from "../../src/wasm/binary/module-error.ts";
import { type FunctionType, readOutline } from "../../src/wasm/binary/outline.ts";
import { prepare, type Prepared, type Variant } from "../spec/variant.ts";
import { Random } from "../support/random.ts";
import { type Call, callsOf, Subject, type Surface } from "./behaviour.ts";
import { mutate } from "./mutations.ts";

export interface CheckedMutant {
  /**
   * refused: with a ModuleError, and nobody wants more.
   * accepted: it could not be compared: no instance, or no end within its fuel.
   * compared: its exports did the same in every variant.
   */
  readonly fate: "refused" | "accepted" | "compared";
  readonly findings: readonly string[];
}

/** Its loops may be endless: what does not end with this is not run without. */
const FUEL = 100_000;
/** Not slow but hung: the machine may be busy with something else. */
const SLOW_MS = 20_000;

/** @param bases what to damage; more than one, so that their sections mix */
export function checkMutant(seed: number, bases: readonly Uint8Array[]): CheckedMutant {
  const random = new Random(seed);
  const bytes = mutate(random, random.pick(bases), random.pick(bases));
  return compareModule(bytes, seed);
}

/** Any module, valid or not, with a host that has whatever it imports. */
export function compareModule(bytes: Uint8Array, seed: number): CheckedMutant {
  const findings: string[] = [];
  const say = (what: string): void => {
    const hex = bytes.byteLength < SHOWN_BYTES_MAX ? ` ${bytes.toHex()}` : "";
    findings.push(`seed ${seed}, ${bytes.byteLength} bytes: ${what}${hex}`);
  };
  const began = performance.now();
  const fate = fateOf(bytes, new Random(seed), say);
  const ms = Math.round(performance.now() - began);
  if (ms > SLOW_MS) say(`took ${ms} ms`);
  return { fate, findings };
}

/** A longer module is not printed: its seed makes it again. */
const SHOWN_BYTES_MAX = 4000;

type Say = (what: string) => void;

function fateOf(bytes: Uint8Array, random: Random, say: Say): CheckedMutant["fate"] {
  const fuel = rewritten(bytes, "fuel", say);
  const poll = rewritten(bytes, "poll", say);
  if (fuel === undefined || poll === undefined) {
    if (fuel !== poll) say("refused in one variant, taken in the other");
    return "refused";
  }
  const surface = surfaceOf(bytes, fuel);
  const calls = callsOf(random, surface, []);
  const bounded = observe(fuel, surface, calls, FUEL);
  if (bounded === undefined) return "accepted";
  const before = observe(prepare(bytes, "plain"), surface, calls);
  const polled = observe(poll, surface, calls);
  for (const [variant, lines] of Object.entries({ fuel: bounded, poll: polled })) {
    const at = (before ?? []).findIndex((line, n) => line !== lines?.[n]);
    if (at >= 0) say(`${variant}: line ${at}: "${lines?.[at]}", before: "${before?.[at]}"`);
  }
  return "compared";
}

function rewritten(bytes: Uint8Array, variant: Variant, say: Say): Prepared | undefined {
  try {
    return prepare(bytes, variant);
  } catch (error) {
    if (!(error instanceof ModuleError)) say(`${variant}: ${String(error)}`);
    return undefined;
  }
}

/** Undefined when there is no instance or too little fuel. */
function observe(
  prepared: Prepared,
  surface: Surface,
  calls: readonly Call[],
  fuel?: number,
): string[] | undefined {
  try {
    const subject = new Subject(prepared, surface, fuel);
    const lines = [...subject.started, ...subject.run(calls)];
    return subject.ranShort ? undefined : lines;
  } catch {
    return undefined;
  }
}

function zero(type: FunctionType["results"][number] | undefined): unknown {
  if (type === "i64") return 0n;
  return type === "i32" || type === "f32" || type === "f64" ? 0 : null;
}

/** A host that has whatever is imported, and answers with zeros. */
function surfaceOf(bytes: Uint8Array, { module }: Prepared): Surface {
  const { imports, exports } = readOutline(bytes);
  const named = (kind: string): string[] =>
    WebAssembly.Module.exports(module)
      .filter((each) => each.kind === kind && exports.some(({ name }) => name === each.name))
      .map(({ name }) => name);
  return {
    functions: exports.flatMap(({ name, type }) => (type === undefined ? [] : [{ name, type }])),
    globals: named("global"),
    tables: named("table"),
    host: (trace) => {
      const host: Record<string, Record<string, unknown>> = {};
      for (const { module: from, name, type } of imports) {
        const results = type?.results ?? [];
        (host[from] ??= {})[name] =
          type === undefined
            ? 0 // A constant.
            : (...args: unknown[]) => {
                trace(`${from}.${name} ${args.map(String).join(" ")}`);
                return results.length > 1 ? results.map(zero) : zero(results[0]);
              };
      }
      return host as Bun.WebAssembly.Imports;
    },
  };
}
