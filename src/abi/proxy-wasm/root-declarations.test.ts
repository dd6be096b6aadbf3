import { describe, expect, test } from "bun:test";
import type { Expression } from "../cel/expression.ts";
import { RootDeclarations } from "./root-declarations.ts";

const expression = (length: number): Expression => ({ length }) as Expression;
const property = { readOnly: true, isText: false };

/** What a guest can see of its declarations: `tokens` and `paths` that may be there. */
function shown(declared: RootDeclarations): unknown {
  const tokens = [0, 1, 2, 3].filter((token) => declared.expression(token) !== undefined);
  const paths = ["a", "b"].filter((path) => declared.property(path) !== undefined);
  return { tokens, paths, next: declared.state.nextToken };
}

/** One expression and one property, as declared while the guest was configured. */
function configured(): RootDeclarations {
  const declared = new RootDeclarations();
  declared.addExpression(expression(1));
  declared.declareProperty("a", property);
  return declared;
}

describe("RootDeclarations.adopt()", () => {
  test.each<[string, (declared: RootDeclarations) => void]>([
    ["adds an expression", (declared) => void declared.addExpression(expression(2))],
    ["deletes one", (declared) => declared.deleteExpression(0)],
    ["declares a property", (declared) => void declared.declareProperty("b", property)],
    ["does nothing", () => {}],
  ])("puts back what it was when an exchange %s, each time", (_, exchange) => {
    const declared = configured();
    const { state } = declared;
    const before = shown(declared);
    for (let n = 0; n < 3; n++) {
      declared.adopt(state);
      expect(shown(declared)).toEqual(before);
      exchange(declared);
    }
    declared.adopt(state);
    expect(shown(declared)).toEqual(before);
  });

  test("takes another state's place, and that one's state is not changed by it", () => {
    const declared = new RootDeclarations();
    const empty = declared.state;
    const { state } = configured();
    declared.adopt(empty);
    declared.adopt(state);
    declared.deleteExpression(0);
    declared.addExpression(expression(3));
    declared.adopt(empty);
    expect(shown(declared)).toEqual({ tokens: [], paths: [], next: 0 });
    declared.adopt(state);
    expect(shown(declared)).toEqual({ tokens: [0], paths: ["a"], next: 1 });
  });
});
