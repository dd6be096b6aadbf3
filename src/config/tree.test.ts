import { describe, expect, test } from "bun:test";
import { readDocument } from "./read-document.ts";
import { Findings } from "./findings.ts";
import { type ConfigNode, SourceText, entryOf, jsonOf, nodeAt, notJson, textOf } from "./tree.ts";

function tree(text: string): ConfigNode {
  const node = readDocument(new Findings(new SourceText("test.yaml", text)));
  if (node === undefined) throw new Error(`Not YAML: ${text}`);
  return node;
}

describe("SourceText.position()", () => {
  const text = "ab\ncd\r\n\n😀e";
  test.each([
    { name: "the first character", start: 0, end: 1, at: [1, 1, 1] },
    { name: "the end of a line", start: 2, end: 3, at: [1, 3, 1] },
    { name: "the second line", start: 3, end: 5, at: [2, 1, 2] },
    { name: "a range over several lines", start: 4, end: 12, at: [2, 2, 1] },
    { name: "an empty range", start: 4, end: 4, at: [2, 2, 1] },
    { name: "an empty line", start: 7, end: 7, at: [3, 1, 1] },
    { name: "a character outside of the BMP", start: 8, end: 10, at: [4, 1, 2] },
    { name: "the end of the text", start: 11, end: 11, at: [4, 4, 1] },
  ])("of $name", ({ start, end, at }) => {
    const { line, column, length } = new SourceText("f", text).position({ start, end });
    expect([line, column, length].join()).toBe(at.join());
  });

  test("of anything in an empty text is its first character", () => {
    expect(new SourceText("f", "").position({ start: 0, end: 0 })).toEqual({
      line: 1,
      column: 1,
      length: 1,
    });
  });
});

describe("nodeAt(), entryOf() and textOf()", () => {
  const root = tree("a: [{ b: text }, 5]\n");

  test("find what is there", () => {
    expect(textOf(nodeAt(root, "a", 0, "b"))).toBe("text");
    expect(nodeAt(root)).toBe(root);
    expect(entryOf(root, "a")?.keySpan).toEqual({ start: 0, end: 1 });
  });

  test("are undefined for what is not, whatever the kinds", () => {
    expect(nodeAt(root, "a", 7)).toBeUndefined();
    expect(nodeAt(root, "a", "b")).toBeUndefined();
    expect(nodeAt(root, 0, "x", 1)).toBeUndefined();
    expect(nodeAt(undefined, "a")).toBeUndefined();
    expect(entryOf(root, "toString")).toBeUndefined();
    expect(textOf(nodeAt(root, "a", 1))).toBeUndefined();
  });
});

describe("jsonOf()", () => {
  test.each([
    {
      name: "keeps the order of keys that look like numbers",
      yaml: "10: a\n9: b\n",
      json: '{"10":"a","9":"b"}',
    },
    {
      name: "writes every kind of scalar",
      yaml: "[~, true, 1, -1.5, text]",
      json: '[null,true,1,-1.5,"text"]',
    },
    {
      name: "keeps integers that a double cannot hold",
      yaml: "[12345678901234567890]",
      json: "[12345678901234567890]",
    },
    { name: "escapes what JSON wants escaped", yaml: '["a\\"\\n\\0"]', json: '["a\\"\\n\\u0000"]' },
    {
      name: "keeps __proto__ as a key",
      yaml: "__proto__: { a: 1 }",
      json: '{"__proto__":{"a":1}}',
    },
    { name: "writes empty collections", yaml: "[{}, []]", json: "[{},[]]" },
  ])("$name", ({ yaml, json }) => {
    expect(jsonOf(tree(yaml))).toBe(json);
  });
});

describe("notJson()", () => {
  test("finds the first number that JSON cannot say", () => {
    expect(notJson(tree("a: [1, { b: -.inf }, .nan]\n"))?.written).toBe("-.inf");
    expect(notJson(tree("a: [1, { b: text }]\n"))).toBeUndefined();
  });
});
