import { describe, expect, test } from "bun:test";
import { Findings } from "./findings.ts";
import { readFullYaml } from "./full-yaml.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { type ConfigNode, SourceText, jsonOf } from "./tree.ts";

function readFull(text: string): ConfigNode | undefined {
  return readFullYaml(text, new Findings(new SourceText("test.yaml", text)));
}

describe("readPlainYaml()", () => {
  test.each([
    { name: "block mappings and lists", text: "a: 1\nb:\n  - x\n  - y: z\n    w: 2\nc:\n- 1\n" },
    { name: "compact and nested lists", text: "- - a\n  - b\n- - - c\n-\n  - d\n-\n- k:\n  - v\n" },
    { name: "flow collections", text: 'a: { b: [1, "2", \'3\'], "c d": {}, e: [] }\n' },
    { name: "comments everywhere", text: "# top\na: 1 # one\n  # deep\nb: # none\n  c: d#e # f\n" },
    { name: "every kind of scalar", text: "a: [~, true, 0x10, 0o7, 1e3, .5, -7, yes, 1.2.3]\n" },
    {
      name: "quotes and escapes",
      text: 'a: \'it\'\'s\'\nb: "q\\"\\\\n\\n"\n\'c\': "#: "\n"": 1\n',
    },
    { name: "one document marker", text: "# first\n---\n# second\na: 1\n" },
    { name: "nothing", text: "" },
    { name: "nothing but comments", text: "# a\n\n  # b\n" },
    { name: "no newline at the end", text: "a:\n  b: c" },
    {
      name: "text with colons and hashes",
      text: "a: http://x:80/#f\nb: a:b\nc: ~^/x{2}$\nd e: f g\n",
    },
    {
      name: "flow over several lines",
      text: "a: [ # one\n  1,\n  # two\n  { b: 2,\n   c:\n    3 }\n  ]\nd: 4\n",
    },
    { name: "JSON", text: JSON.stringify({ a: [1, { b: "c:d" }, null], e: true, f: {} }) },
    {
      name: "JSON over several lines",
      text: JSON.stringify({ a: [1, { b: [] }], e: "#" }, null, 2),
    },
    { name: "wide characters", text: "ключ: 值 # 注\n😀: [é]\n" },
    { name: "hostile names", text: "__proto__: { constructor: 1 }\ntoString: []\n" },
  ])("reads $name like the complete reader", ({ text }) => {
    const plain = readPlainYaml(text);
    expect(plain).toBeDefined();
    expect(plain).toEqual(readFull(text) as ConfigNode);
  });

  test("keeps where each thing stands", () => {
    const text = "routes:\n  - uri: /a # c\n";
    const root = readPlainYaml(text);
    const marked: string[] = [];
    const walk = (node: ConfigNode): void => {
      marked.push(text.slice(node.start, node.end));
      if (node.kind === "list") node.items.forEach(walk);
      if (node.kind === "map") {
        for (const entry of node.entries) {
          marked.push(text.slice(entry.keySpan.start, entry.keySpan.end));
          walk(entry.value);
        }
      }
    };
    walk(root as ConfigNode);
    expect(marked).toEqual(["routes", "routes", "-", "uri", "uri", "/a"]);
  });

  test("agrees with the complete reader on whatever it accepts", () => {
    const random = randomFrom(20_260_823);
    let accepted = 0;
    for (let round = 0; round < 6000; round++) {
      const text = round % 2 === 0 ? soup(random) : mutated(document(random, 0, 0), random);
      const plain = readPlainYaml(text);
      if (plain === undefined) continue;
      accepted++;
      const findings = new Findings(new SourceText("test.yaml", text));
      const full = readFullYaml(text, findings);
      expect({ text, tree: plain, found: [] }).toEqual({
        text,
        tree: full as ConfigNode,
        found: findings.sorted() as never[],
      });
    }
    // A reader that always gives up would agree as well.
    expect(accepted).toBeGreaterThan(1000);
  });

  test("reads what the generator wrote, whatever the layout", () => {
    const random = randomFrom(7);
    for (let round = 0; round < 500; round++) {
      const text = document(random, 0, 0);
      const plain = readPlainYaml(text);
      expect({ text, read: plain !== undefined }).toEqual({ text, read: true });
      expect(jsonOf(plain as ConfigNode)).toBe(jsonOf(readFull(text) as ConfigNode));
    }
  });
});

describe("readPlainYaml() errors", () => {
  test.each([
    "just text\n",
    "a: &x 1\nb: *x\n",
    "a: !!str 1\n",
    "a: |\n  text\n",
    "a: b\n  c\n",
    "a: [1,\n2]\n",
    "a: [b\n c]\n",
    "{ a: 1 }\nb: 2\n",
    "{ a: 1 }: 2\n",
    "{ a:1 }\n",
    "{ 'a':1 }\n",
    "[1,\n---\n2]\n",
    "[1, 2",
    "a:\t1\n",
    "a: 1\r\n",
    "a: 1\na: 2\n",
    "a: {b: 1, b: 2}\n",
    "a: {b}\n",
    "a: [b: c]\n",
    "a: b: c\n",
    "a: b:\n",
    "a: - b\n",
    "a:\n  b: 1\n c: 2\n",
    "a:\n    - x\n  - y\n",
    "- a\nb: 1\n",
    "a: 'x\n",
    'a: "\\x41"\n',
    "a: {b: 1} c\n",
    "a: :b\n",
    "a: [1]]\n",
    "a: 1\n---\nb: 2\n",
    "--- a: 1\n",
    "a: 1\n...\n",
    "%YAML 1.2\n---\na: 1\n",
    "? a\n: b\n",
    "<<: { a: 1 }\n",
    "[".repeat(100),
    `a: ${"[".repeat(100_000)}`,
    `a: ${"- ".repeat(100_000)}`,
    `${Array.from({ length: 100 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")}\n`,
  ])("leaves %p to the complete reader", (text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});

/** Small, seeded, and the same everywhere (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof randomFrom>;

const PIECES = [
  ..."a|-|c:|{|}|[|]|,|\"x\"|'y'|#|~|12|-1|1.5|true|null|*|&|!|>|?|%|@|`|'|\"|\\|:".split("|"),
  ...'|;b: ;- ;, ;: ; ;  ;/x/*;a.b:80;0x1F;é;=;<<: ;"j":'.split(";"),
  ..."\n;\n  ;\n    ;\n; # z\n;key: value\n;- item\n;[1,\n ;{ a: 1,\n  ".split(";"),
  ..."k: [1, 2]\n;---\n;...\n".split(";"),
];

/** Pieces of syntax in any order: nearly always wrong YAML, sometimes surprisingly right. */
function soup(random: Random): string {
  let text = "";
  for (let count = 1 + random(12); count > 0; count--) text += PIECES[random(PIECES.length)];
  return text;
}

function mutated(text: string, random: Random): string {
  let changed = text;
  for (let count = random(3); count > 0; count--) {
    const at = random(changed.length + 1);
    const piece = random(3) === 0 ? "" : (PIECES[random(PIECES.length)] ?? "");
    changed = changed.slice(0, at) + piece + changed.slice(at + random(3));
  }
  return changed;
}

const SCALARS = [
  "1",
  "-0.5",
  "true",
  "~",
  "text",
  "two words",
  '"q: \\"x\\" #"',
  "'it''s'",
  "/a/*",
];

/** A well-formed document of the subset. */
function document(random: Random, indent: number, depth: number): string {
  const pad = " ".repeat(indent);
  const inList = random(3) === 0;
  let text = "";
  for (let count = 1 + random(3); count > 0; count--) {
    const lead = inList ? "-" : `k${count}${random(2) === 0 ? "" : " "}:`;
    const nested = depth < 3 && random(3) === 0;
    const comment = random(4) === 0 ? " # why" : "";
    if (nested)
      text += `${pad}${lead}${comment}\n${document(random, indent + 1 + random(3), depth + 1)}`;
    else if (random(3) === 0) text += `${pad}${lead} ${flow(random, 0)}${comment}\n`;
    else text += `${pad}${lead} ${SCALARS[random(SCALARS.length)]}${comment}\n`;
    if (random(5) === 0) text += "\n  # between\n";
  }
  return text;
}

function flow(random: Random, depth: number): string {
  const part = (): string =>
    depth < 2 && random(3) === 0
      ? flow(random, depth + 1)
      : (SCALARS[random(SCALARS.length)] ?? "");
  const parts = Array.from({ length: random(4) }, part);
  const comma = random(3) === 0 ? `, # next\n${" ".repeat(20)}` : ", ";
  if (random(2) === 0) return `[${parts.join(comma)}]`;
  return `{ ${parts.map((value, index) => `k${index}: ${value}`).join(comma)} }`;
}
