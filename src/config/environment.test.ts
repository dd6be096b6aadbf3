import { describe, expect, test } from "bun:test";
import { type Environment, substituteEnvironment } from "./environment.ts";
import { Findings } from "./findings.ts";
import { readDocument } from "./read-document.ts";
import { SourceText, jsonOf } from "./tree.ts";

function substitute(text: string, environment: Environment): { json: string; found: string[] } {
  const findings = new Findings(new SourceText("test.yaml", text));
  const tree = readDocument(findings);
  if (tree === undefined) throw new Error(`Not YAML: ${text}`);
  const json = jsonOf(substituteEnvironment(tree, environment, findings));
  return { json, found: findings.sorted().map(({ message }) => message) };
}

describe("substituteEnvironment()", () => {
  const environment = { A: "1", B: "two", EMPTY: "", YAML: "x: [1]\n# no", DOLLAR: "$& $1 ${{A}}" };

  test.each([
    { name: "puts a value in", yaml: "v: ${{A}}", json: '{"v":"1"}' },
    { name: "puts several into one text", yaml: "v: a${{A}}b${{B}}c", json: '{"v":"a1btwoc"}' },
    { name: "takes blanks inside", yaml: 'v: "${{ A }}${{ C := c }}"', json: '{"v":"1c"}' },
    { name: "takes the default of one that is not set", yaml: "v: ${{C:=d}}", json: '{"v":"d"}' },
    { name: "takes an empty default", yaml: "v: ${{C:=}}", json: '{"v":""}' },
    { name: "keeps an empty value", yaml: "v: ${{EMPTY:=d}}", json: '{"v":""}' },
    { name: "leaves an escaped one", yaml: "v: $${{A}}", json: '{"v":"${{A}}"}' },
    { name: "leaves other dollars", yaml: "v: $A ${A} $$ {{A}}", json: '{"v":"$A ${A} $$ {{A}}"}' },
    {
      name: "reaches lists and block text",
      yaml: 'v: ["${{A}}"]\nw: |\n  ${{B}}\n',
      json: '{"v":["1"],"w":"two\\n"}',
    },
    { name: "reads no YAML in a value", yaml: "v: ${{YAML}}", json: '{"v":"x: [1]\\n# no"}' },
    {
      name: "reads no variables or patterns in a value",
      yaml: "v: ${{DOLLAR}}",
      json: '{"v":"$& $1 ${{A}}"}',
    },
    { name: "reads a variable spelled with escapes", yaml: 'v: "\\x24{{A}}"', json: '{"v":"1"}' },
  ])("$name", ({ yaml, json }) => {
    expect(substitute(`${yaml}\n`, environment)).toEqual({ json, found: [] });
  });

  test("keeps an aliased node one node", () => {
    const text = 'a: &x ["${{A}}"]\nb: *x\n';
    const findings = new Findings(new SourceText("test.yaml", text));
    const tree = readDocument(findings);
    if (tree === undefined) throw new Error("no tree");
    const done = substituteEnvironment(tree, environment, findings);
    if (done.kind !== "map") throw new Error("no mapping");
    expect(done.entries[0]?.value).toBe(done.entries[1]?.value as never);
  });
});

describe("substituteEnvironment() errors", () => {
  test.each([
    {
      name: "a variable that is not set",
      yaml: "v: ${{NOPE}}",
      message: "environment variable NOPE is not set and has no default",
    },
    {
      name: "a name of Object.prototype",
      yaml: "v: ${{constructor}}",
      message: "environment variable constructor is not set and has no default",
    },
    {
      name: "no name",
      yaml: "v: ${{}}",
      message: '"${{}}" is not of the form ${{NAME}} or ${{NAME:=default}}',
    },
    {
      name: "a name with a dash",
      yaml: "v: ${{A-B}}",
      message: '"${{A-B}}" is not of the form ${{NAME}} or ${{NAME:=default}}',
    },
    {
      name: "a shell's default",
      yaml: "v: ${{A:-b}}",
      message: '"${{A:-b}}" is not of the form ${{NAME}} or ${{NAME:=default}}',
    },
    { name: "no end", yaml: "v: ${{A", message: 'a variable is not closed with }} in "${{A"' },
    {
      name: "a variable in a key",
      yaml: '"${{A}}": 1',
      message: 'key "${{A}}" holds a variable, only values can',
    },
  ])("refuses $name", ({ yaml, message }) => {
    expect(substitute(`${yaml}\n`, { A: "1" }).found).toEqual([message]);
  });
});
