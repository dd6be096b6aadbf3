import { isCelError } from "@bufbuild/cel";
import { messageOf } from "../../base/errors.ts";
import { bind, type Names, namesOf, type ReadProperty } from "./attributes.ts";
import { type Evaluate, type Outcome, planned } from "./environment.ts";
import { Meter, TooCostly } from "./meter.ts";
import { metered } from "./metered.ts";
import { parseExpression, sizeOf } from "./syntax.ts";

/** A value of CEL. */
export type CelResult = Exclude<Outcome, Error>;

/**
 * An expression of the Common Expression Language over the attributes of an exchange. It holds no
 * state of an evaluation, so that several guests may share it.
 */
export class Expression {
  /** Characters of its text. */
  readonly length: number;
  readonly #names: Names;
  readonly #evaluate: Evaluate;

  readonly #stepCost: number;

  private constructor(length: number, names: Names, evaluate: Evaluate, stepCost: number) {
    this.length = length;
    this.#names = names;
    this.#evaluate = evaluate;
    this.#stepCost = stepCost;
  }

  /** @returns for the log, why it is none */
  static of(text: string): Expression | string {
    try {
      const expr = parseExpression(text);
      const names = namesOf(expr);
      const stepCost = STEP_COST + Math.ceil(sizeOf(expr) / NODES_PER_COST);
      return new Expression(text.length, names, planned(metered(expr)), stepCost);
    } catch (error) {
      return messageOf(error); // The parser's own, and a stack that is full.
    }
  }

  /** @returns for the log, why there is no value: it costs too much, or is an error of CEL */
  evaluate(read: ReadProperty): { readonly value: CelResult } | string {
    const meter = new Meter();
    const evaluation = { meter, stepCost: this.#stepCost };
    const outcome = this.#evaluate(bind(this.#names, read), evaluation);
    if (meter.exhausted) return new TooCostly().message;
    if (isCelError(outcome)) return outcome.message;
    return { value: outcome };
  }
}

/** A step may evaluate every node, and an error of each: what is not paid for one by one. */
const STEP_COST = 2;
const NODES_PER_COST = 2;
