import { describe, expect, test } from "bun:test";
import { Findings } from "./findings.ts";
import { readFullYaml } from "./full-yaml.ts";
import { SourceText, jsonOf } from "./tree.ts";

function read(text: string): { json: string | undefined; codes: string[] } {
  const findings = new Findings(new SourceText("test.yaml", text));
  const node = readFullYaml(text, findings);
  const codes = findings.sorted().map(({ code }) => code);
  return { json: node === undefined ? undefined : jsonOf(node), codes };
}

describe("readFullYaml()", () => {
  test.each([
    {
      name: "block scalars",
      yaml: "a: |\n  x\n  y\nb: >-\n  x\n  y\n",
      json: '{"a":"x\\ny\\n","b":"x y"}',
    },
    {
      name: "text over several lines",
      yaml: 'a: x\n  y\nb: "x\n  y"\n',
      json: '{"a":"x y","b":"x y"}',
    },
    { name: "CRLF", yaml: "a: 1\r\nb: [x,\r\n  y]\r\n", json: '{"a":1,"b":["x","y"]}' },
    { name: "tabs between tokens", yaml: "a:\t1\t# one\n", json: '{"a":1}' },
    { name: "escapes", yaml: 'a: "\\x41\\u00e9\\U0001F600\\e"\n', json: '{"a":"Aé😀\\u001b"}' },
    { name: "core tags", yaml: "a: !!str 5\nb: !!map {}\n", json: '{"a":"5","b":{}}' },
    { name: "explicit keys", yaml: "? a\n: 1\n", json: '{"a":1}' },
    {
      name: "aliases",
      yaml: "a: &x [1]\nb: *x\nc: { d: *x }\n",
      json: '{"a":[1],"b":[1],"c":{"d":[1]}}',
    },
    { name: "an anchor that is set anew", yaml: "[&x 1, *x, &x 2, *x]\n", json: "[1,1,2,2]" },
    {
      name: "a merge",
      yaml: "a: &x { p: 1, q: 2 }\nb: { q: 3, <<: *x }\n",
      json: '{"a":{"p":1,"q":2},"b":{"q":3,"p":1}}',
    },
    {
      name: "merges of several, the first wins",
      yaml: "a: { <<: [{ p: 1 }, { p: 2, q: 2 }], r: 3 }\n",
      json: '{"a":{"r":3,"p":1,"q":2}}',
    },
    { name: "a quoted << as a plain key", yaml: 'a: { "<<": 1 }\n', json: '{"a":{"<<":1}}' },
    {
      name: "keys as they are written",
      yaml: "{ 0x10: a, true: b, ~: c, 1.0: d }\n",
      json: '{"0x10":"a","true":"b","~":"c","1.0":"d"}',
    },
    { name: "a version that is 1.2", yaml: "%YAML 1.2\n---\na: yes\n", json: '{"a":"yes"}' },
    { name: "nothing", yaml: "# nothing\n", json: "null" },
  ])("reads $name", ({ yaml, json }) => {
    expect(read(yaml)).toEqual({ json, codes: [] });
  });

  test("shares aliased nodes instead of copying them", () => {
    const text = "a: &x { b: [1, 2, 3] }\nc: *x\n";
    const node = readFullYaml(text, new Findings(new SourceText("test.yaml", text)));
    if (node?.kind !== "map") throw new Error("no mapping");
    expect(node.entries[0]?.value).toBe(node.entries[1]?.value as never);
  });
});

describe("readFullYaml() errors", () => {
  test.each([
    { name: "an alias before its anchor", yaml: "a: *x\nb: &x 1\n", code: "CONFIG_YAML_ALIAS" },
    { name: "a merge of text", yaml: "a: { <<: text }\n", code: "CONFIG_YAML_KEY" },
    { name: "a list as a key", yaml: "? [a]\n: 1\n", code: "CONFIG_YAML_KEY" },
    { name: "an alias as a key", yaml: "a: &x b\n*x : 1\n", code: "CONFIG_YAML_KEY" },
    { name: "the same key in two spellings", yaml: "a: 1\n'a': 2\n", code: "CONFIG_YAML_KEY" },
    { name: "an unknown tag", yaml: "a: !thing 1\n", code: "CONFIG_YAML_SYNTAX" },
    { name: "binary", yaml: "a: !!binary aGk=\n", code: "CONFIG_YAML_SYNTAX" },
    { name: "YAML 1.1", yaml: "%YAML 1.1\n---\na: yes\n", code: "CONFIG_YAML_SYNTAX" },
    { name: "two documents", yaml: "a: 1\n---\nb: 1\n", code: "CONFIG_YAML_SYNTAX" },
    { name: "an open bracket", yaml: "a: [1\nb: 2\n", code: "CONFIG_YAML_SYNTAX" },
    { name: "an open quote", yaml: "a: 'x\nb: 2\n", code: "CONFIG_YAML_SYNTAX" },
  ])("refuses $name", ({ yaml, code }) => {
    const { json, codes } = read(yaml);
    expect(json).toBeUndefined();
    expect(new Set(codes)).toEqual(new Set([code]));
  });

  test("names the first problem of a line only", () => {
    expect(read("a: { b: ${{C:=2}} }\n").codes).toEqual(["CONFIG_YAML_SYNTAX"]);
  });
});
