import type { Guest } from "./guest.ts";
import { readProperty } from "./properties.ts";
import { Status } from "./types.ts";

type Expressions = typeof import("./expressions.ts");

let loaded: Expressions | undefined;

/** Loads the library of CEL: 80 ms of a processor and 17 MB, for workers that have a use for it. */
export function expressions(): Expressions {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  loaded ??= require("./expressions.ts") as Expressions;
  return loaded;
}

const TOKEN_BYTES = 4;

/**
 * `expr_create`: reads an expression of CEL.
 * @returns its token, u32le; BadArgument for what is none, InternalFailure when there are too many
 */
export function createExpression(argument: Uint8Array, guest: Guest): Uint8Array | Status {
  const { log } = guest.resources;
  const expression = expressions().readExpression(Buffer.from(argument).toString());
  if (typeof expression === "string") {
    log.tell("info", `expr_create: Cannot read the expression: ${expression}`);
    return Status.BadArgument;
  }
  const token = guest.rootEvents.declared.addExpression(expression);
  if (token === undefined) {
    log.warnOnce("expressions", TOO_MANY);
    return Status.InternalFailure;
  }
  const bytes = Buffer.alloc(TOKEN_BYTES);
  bytes.writeUInt32LE(token);
  return bytes;
}

/**
 * `expr_evaluate`: the value of the expression with that token in the context that calls.
 * @returns the value, encoded as a property's; NotFound for another token, BadArgument for what is
 *   no token, InternalFailure when there is no value, SerializationFailure when it has no encoding
 */
export function evaluateExpression(argument: Uint8Array, guest: Guest): Uint8Array | Status {
  const token = tokenOf(argument);
  if (token === undefined) return Status.BadArgument;
  const expression = guest.rootEvents.declared.expression(token);
  if (expression === undefined) return Status.NotFound;
  const value = expressions().encodedValue(expression, (path) => readProperty(guest, path));
  if (typeof value !== "string") return value ?? Status.SerializationFailure;
  guest.resources.log.tell("debug", `expr_evaluate: There is no value: ${value}`);
  return Status.InternalFailure;
}

/** `expr_delete`. @returns BadArgument for what is no token; Ok also for one that is not known */
export function deleteExpression(argument: Uint8Array, guest: Guest): Status {
  const token = tokenOf(argument);
  if (token === undefined) return Status.BadArgument;
  guest.rootEvents.declared.deleteExpression(token);
  return Status.Ok;
}

function tokenOf(argument: Uint8Array): number | undefined {
  if (argument.byteLength !== TOKEN_BYTES) return undefined;
  return new DataView(argument.buffer, argument.byteOffset).getUint32(0, true);
}

const TOO_MANY = "expr_create: The guest keeps too many expressions: delete some by expr_delete";
