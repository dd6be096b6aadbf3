import { LIMITS } from "../../base/limits.ts";
import type { Expression } from "../cel/expression.ts";

/** What `declare_property` says of the properties of one path. */
export interface DeclaredProperty {
  /** It keeps the first value that it is given. */
  readonly readOnly: boolean;
  /** An expression sees text, not bytes. */
  readonly isText: boolean;
}

/** What a root context has declared: a part of the state that is captured. */
export interface DeclaredState {
  readonly expressions: ReadonlyMap<number, Expression>;
  readonly nextToken: number;
  readonly properties: ReadonlyMap<string, DeclaredProperty>;
}

/** Expressions and properties that one guest has declared, by all its contexts together. */
export class RootDeclarations {
  #expressions = new Map<number, Expression>();
  #nextToken = 0;
  #properties = new Map<string, DeclaredProperty>();
  /** What it still is, if anything: copying maps costs 0.5 µs, and most guests declare nothing. */
  #adopted: DeclaredState | undefined;

  /** @returns its token; undefined when the guest keeps too many */
  addExpression(expression: Expression): number | undefined {
    if (this.#expressions.size >= LIMITS.celExpressionsMax) return undefined;
    let characters = expression.length;
    for (const { length } of this.#expressions.values()) characters += length;
    if (characters > LIMITS.celCharactersMax) return undefined;
    while (this.#expressions.has(this.#nextToken)) this.#advance();
    const token = this.#nextToken;
    this.#adopted = undefined;
    this.#advance();
    this.#expressions.set(token, expression);
    return token;
  }

  expression(token: number): Expression | undefined {
    return this.#expressions.get(token);
  }

  deleteExpression(token: number): void {
    this.#adopted = undefined;
    this.#expressions.delete(token);
  }

  /** @returns false when it has been declared before, or the guest has declared too many */
  declareProperty(path: string, property: DeclaredProperty): boolean {
    if (this.#properties.has(path)) return false;
    if (this.#properties.size >= LIMITS.guestDeclaredPropertiesMax) return false;
    this.#adopted = undefined;
    this.#properties.set(path, property);
    return true;
  }

  property(path: string): DeclaredProperty | undefined {
    return this.#properties.get(path);
  }

  get state(): DeclaredState {
    return {
      expressions: new Map(this.#expressions),
      nextToken: this.#nextToken,
      properties: new Map(this.#properties),
    };
  }

  /** Makes it what it was when the state was taken: the guest's memory knows the same tokens. */
  adopt(state: DeclaredState): void {
    if (this.#adopted === state) return;
    this.#adopted = state;
    this.#expressions = new Map(state.expressions);
    this.#nextToken = state.nextToken;
    this.#properties = new Map(state.properties);
  }

  #advance(): void {
    this.#nextToken = (this.#nextToken + 1) >>> 0;
  }
}
