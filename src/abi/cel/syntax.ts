import { parse } from "@bufbuild/cel";
import { LIMITS } from "../../base/limits.ts";

/** A node of a parsed expression. */
export type Expr = NonNullable<ReturnType<typeof parse>["expr"]>;

/** @throws Error with the reason when the text is no expression, or one that costs too much */
export function parseExpression(text: string): Expr {
  if (text.length > LIMITS.celLengthMax) {
    throw new Error(`${text.length} characters, at most ${LIMITS.celLengthMax} are read`);
  }
  if (depthOf(text) > LIMITS.celDepthMax) {
    throw new Error(`more than ${LIMITS.celDepthMax} brackets inside one another`);
  }
  const { expr } = parse(text);
  if (expr === undefined) throw new Error("nothing to evaluate");
  if (chainOf(expr, 0) > LIMITS.celChainMax) {
    throw new Error(`more than ${LIMITS.celChainMax} fields of fields`);
  }
  return expr;
}

/** The longest run of selections: `a.b.c` is 2. @param above selections that end in this node */
function chainOf(expr: Expr, above: number): number {
  const length = expr.exprKind.case === "selectExpr" ? above + 1 : 0;
  let longest = length;
  for (const child of childrenOf(expr)) longest = Math.max(longest, chainOf(child, length));
  return longest;
}

/** Comments and strings, which may hold any bracket, and brackets. */
const TOKENS = new RegExp(
  [
    /\/\/[^\n]*/,
    /[bB]?[rR][bB]?(?:"""[^]*?"""|'''[^]*?'''|"[^"]*"|'[^']*')/,
    /"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''/,
    /"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'/,
    /[[\](){}]/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** How deep brackets are nested: the parser takes the cube of it to say why one does not close. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "(" || token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === ")" || token === "]" || token === "}") depth--;
  }
  return deepest;
}

/** Nodes of an expression. */
export function sizeOf(expr: Expr): number {
  let size = 1;
  for (const child of childrenOf(expr)) size += sizeOf(child);
  return size;
}

export function childrenOf(node: Expr): Expr[] {
  const kind = node.exprKind;
  switch (kind.case) {
    case "selectExpr":
      return present(kind.value.operand);
    case "callExpr":
      return present(kind.value.target, ...kind.value.args);
    case "listExpr":
      return kind.value.elements;
    case "structExpr":
      return kind.value.entries.flatMap(({ keyKind, value }) =>
        present(keyKind.case === "mapKey" ? keyKind.value : undefined, value),
      );
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      return present(iterRange, accuInit, loopCondition, loopStep, result);
    }
    case "identExpr":
    case "constExpr":
    case undefined:
      break;
  }
  return [];
}

function present(...children: (Expr | undefined)[]): Expr[] {
  return children.filter((child) => child !== undefined);
}
