import { Expression } from "../cel/expression.ts";
import type { ReadProperty } from "../cel/attributes.ts";
import { encodeCelValue } from "./cel-encoding.ts";

/** What needs the library of CEL; nothing else imports it, so that it is loaded for its users. */

/** @returns for the log, why it is none */
export function readExpression(text: string): Expression | string {
  return Expression.of(text);
}

/**
 * The value of an expression, encoded as a property's.
 * @returns for the log, why there is no value; undefined when it has no encoding
 */
export function encodedValue(
  expression: Expression,
  read: ReadProperty,
): Uint8Array | string | undefined {
  const result = expression.evaluate(read);
  return typeof result === "string" ? result : encodeCelValue(result.value);
}
