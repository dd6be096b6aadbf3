import { celEnv, celFunc, celList, celMethod, CelScalar, listType, plan } from "@bufbuild/cel";
import { RE2JS } from "@bufbuild/re2";
import { assert } from "../../base/assert.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Meter } from "./meter.ts";
import { CHARGE, STEP } from "./metered.ts";
import { patternSize } from "./pattern-size.ts";
import type { Expr } from "./syntax.ts";

/** What an expression's plan answers: a value, or the error that it came to. */
export type Outcome = ReturnType<ReturnType<typeof plan>>;
export type Bindings = NonNullable<Parameters<ReturnType<typeof plan>>[0]>;

export interface Evaluation {
  readonly meter: Meter;
  /** What one step of a loop costs, besides what its functions do. */
  readonly stepCost: number;
}

/** Evaluation is synchronous and never nests: the functions of the one environment find it here. */
let current: Evaluation | undefined;

function running(): Evaluation {
  assert(current !== undefined, "Cannot call a function of CEL outside of an evaluation");
  return current;
}

/** A planned expression. Errors are answers, too. */
export type Evaluate = (bindings: Bindings, evaluation: Evaluation) => Outcome;

/** @throws Error when it cannot be planned */
export function planned(expr: Expr): Evaluate {
  const run = plan(ENVIRONMENT, expr);
  return (bindings, evaluation) => {
    current = evaluation;
    Object.defineProperty(bindings, STEP, { get: takeStep });
    try {
      return run(bindings);
    } finally {
      current = undefined;
    }
  };
}

/** Thrown from a look-up it ends the evaluation, where a function's error can be swallowed. */
function takeStep(): boolean {
  const { meter, stepCost } = running();
  meter.spend(stepCost);
  return true;
}

/** In units of LIMITS.celCostMax. */
const PATTERN_COST = 50;
const COMPILE_COST = 2;

const { DYN, INT, STRING, BOOL } = CelScalar;
const LIST = listType(DYN);

const ENVIRONMENT = celEnv({
  funcs: [
    celFunc(CHARGE, [DYN, INT], DYN, (value, cost) => {
      const { meter } = running();
      meter.spend(Number(cost));
      meter.charge(value);
      return value;
    }),
    // The library chains lists: one that a loop has built up would cost the square of its length.
    celFunc("_+_", [LIST, LIST], LIST, (left, right) => celList([...left, ...right])),
    celMethod("matches", STRING, [STRING], BOOL, function (pattern) {
      return matches(this, pattern);
    }),
    // The library's own makes an array of the characters, at 100 ns each.
    celFunc("size", [STRING], INT, charactersOf),
    celMethod("size", STRING, [], INT, function () {
      return charactersOf(this);
    }),
  ],
});

/** RE2's engine takes time in proportion to the text times the program. */
function matches(text: string, pattern: string): boolean {
  const { meter } = running();
  const size = patternSize(pattern);
  let program = PATTERNS.get(pattern);
  if (program === undefined) {
    meter.spend(PATTERN_COST + COMPILE_COST * size);
    program = RE2JS.compile(pattern);
    if (size <= LIMITS.celPatternSizeMax) keep(pattern, program);
  }
  meter.spend(Math.ceil((size * text.length) / PROGRAM_STEPS_PER_COST));
  return program.test(text);
}

const PROGRAM_STEPS_PER_COST = 16;

/** Compiled ones, of all guests of this worker, the latest last: a guest can make any number. */
const PATTERNS = new Map<string, RE2JS>();

function keep(pattern: string, program: RE2JS): void {
  PATTERNS.set(pattern, program);
  const [oldest] = PATTERNS.keys();
  if (PATTERNS.size > LIMITS.celPatternsMax && oldest !== undefined) PATTERNS.delete(oldest);
}

/** Unicode characters: a surrogate pair is one. */
function charactersOf(text: string): bigint {
  let pairs = 0;
  for (let index = 0; index < text.length; index++) {
    if ((text.codePointAt(index) ?? 0) <= UNIT_MAX) continue;
    pairs++;
    index++;
  }
  return BigInt(text.length - pairs);
}

const UNIT_MAX = 0xffff;
