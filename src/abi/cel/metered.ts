import type { Expr } from "./syntax.ts";

type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

/** Names that no expression can contain: a grammar's identifiers have no "@". */
export const CHARGE = "@charge";
export const STEP = "@step";

/**
 * Rewrites an expression, in place, so that it pays for what it does: each step of a comprehension
 * by reading STEP, what functions work on and what they make by calling CHARGE.
 * @returns what takes its place
 * @throws Error when it makes protobuf messages, whose size nothing here would know
 */
export function metered(expr: Expr): Expr {
  const kind = expr.exprKind;
  switch (kind.case) {
    case "selectExpr":
      if (kind.value.operand) kind.value.operand = metered(kind.value.operand);
      return expr;
    case "callExpr":
      return meteredCall(expr, kind.value);
    case "listExpr":
      kind.value.elements = kind.value.elements.map(metered);
      return charged(expr);
    case "structExpr": {
      if (kind.value.messageName !== "") {
        throw new Error(`Cannot make a message: ${kind.value.messageName}, write a map`);
      }
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === "mapKey") entry.keyKind.value = metered(entry.keyKind.value);
        if (entry.value) entry.value = metered(entry.value);
      }
      return charged(expr);
    }
    case "comprehensionExpr": {
      const loop = kind.value;
      for (const part of PARTS) {
        const inner = loop[part];
        if (inner) loop[part] = metered(inner);
      }
      if (loop.iterRange) loop.iterRange = chargedRange(loop.iterRange);
      if (loop.loopCondition) loop.loopCondition = stepped(loop.loopCondition);
      return expr;
    }
    case "identExpr":
    case "constExpr":
    case undefined:
      break;
  }
  return expr;
}

const PARTS = ["iterRange", "accuInit", "loopCondition", "loopStep", "result"] as const;

/** Operators that choose and look up, and do no work of their own. */
const FREE: ReadonlySet<string> = new Set([
  "_&&_",
  "_||_",
  "_?_:_",
  "_[_]",
  "@not_strictly_false",
  "__not_strictly_false__",
]);

/** Functions whose result is a number or a truth value: their arguments are all that counts. */
const SMALL: ReadonlySet<string> = new Set([
  "!_",
  "_==_",
  "_!=_",
  "_<_",
  "_<=_",
  "_>_",
  "_>=_",
  "@in",
  "_in_",
  "size",
  "contains",
  "startsWith",
  "endsWith",
  "matches",
]);

function meteredCall(expr: Expr, call: Call): Expr {
  const isFree = FREE.has(call.function);
  const argument = (part: Expr): Expr => {
    const inner = metered(part);
    return isFree ? inner : chargedRange(inner);
  };
  if (call.target) call.target = argument(call.target);
  call.args = call.args.map(argument);
  if (isFree || SMALL.has(call.function)) return expr;
  return charged(expr, costOf(call));
}

/** What is computed has been charged when it was made; what is looked up has not. */
function chargedRange(expr: Expr): Expr {
  const kind = expr.exprKind;
  const isLookUp =
    kind.case === "identExpr" ||
    kind.case === "selectExpr" ||
    kind.case === "comprehensionExpr" ||
    (kind.case === "callExpr" && FREE.has(kind.value.function));
  return isLookUp ? charged(expr) : expr;
}

/** Dates with the name of a zone are formatted and read again, which takes 50 µs. */
const ZONE_COST = 200n;
const TIME_COST = 10n;

function costOf(call: Call): bigint {
  if (call.function.startsWith("get")) return call.args.length > 0 ? ZONE_COST : TIME_COST;
  return CONVERSIONS.has(call.function) ? TIME_COST : 0n;
}

const CONVERSIONS: ReadonlySet<string> = new Set(["timestamp", "duration", "string"]);

function charged(expr: Expr, cost = 0n): Expr {
  const constantKind = { case: "int64Value", value: cost };
  const costExpr = { ...expr, exprKind: { case: "constExpr", value: { constantKind } } } as Expr;
  return callOf(expr, CHARGE, [expr, costExpr]);
}

function stepped(condition: Expr): Expr {
  const step = { ...condition, exprKind: { case: "identExpr", value: { name: STEP } } } as Expr;
  return callOf(condition, "_&&_", [step, condition]);
}

function callOf(origin: Expr, name: string, args: readonly Expr[]): Expr {
  return { ...origin, exprKind: { case: "callExpr", value: { function: name, args } } } as Expr;
}
