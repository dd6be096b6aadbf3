/**
 * The repository's own rules as a test; what the linter can see is left to the linter. Every rule
 * is also tested with a case that it must report: a rule that never fires protects nothing.
 */
import { describe, expect, test } from "bun:test";
import { BANS, SELF } from "../test/tidy-bans.ts";
import {
  COLUMNS_MAX,
  LAYERS,
  LINES_MAX,
  TEST_LINES_MAX,
  banProblems,
  blank,
  cycleProblems,
  deadFileProblems,
  folderImports,
  layerProblems,
  limitProblems,
  nameProblems,
  pinProblems,
  promiseProblems,
  readRepository,
  sizeProblems,
} from "../test/tidy.ts";

const sources = await readRepository();
const code = sources.filter(({ path }) => path.endsWith(".ts"));

describe("the repository", () => {
  test("has the files that the rules look at", () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toContain("src/main.ts");
    expect(paths).toContain("package-lock.json");
    expect(paths).toContain("docs/ARCHITECTURE.md");
  });

  test("follows the layers", () => {
    expect(code.flatMap(layerProblems)).toEqual([]);
  });

  test("has no cycle between folders", () => {
    expect(cycleProblems(folderImports(code))).toEqual([]);
    expect(cycleProblems(new Map(Object.entries(LAYERS)))).toEqual([]);
  });

  test("keeps files and lines short", () => {
    expect(code.flatMap(sizeProblems)).toEqual([]);
  });

  test("names files and identifiers after what they are", () => {
    expect(code.flatMap(nameProblems)).toEqual([]);
  });

  test.each(BANS.map((ban) => ({ ...ban, name: String(ban.pattern) })))(
    "contains nothing like $name",
    (ban) => {
      expect(
        sources
          .filter(({ path }) => !SELF.includes(path))
          .flatMap((source) => banProblems(ban, source)),
      ).toEqual([]);
    },
  );

  test("has no dead file", () => {
    expect(deadFileProblems(code)).toEqual([]);
  });

  test("pins every package exactly", () => {
    const manifest = sources.find(({ path }) => path === "package.json");
    expect(pinProblems(manifest?.text ?? "")).toEqual([]);
  });

  test("uses every limit", () => {
    expect(limitProblems(code)).toEqual([]);
  });
});

describe("docs/SECURITY.md", () => {
  test("promises nothing that no test shows", () => {
    const document = sources.find(({ path }) => path === "docs/SECURITY.md");
    const paths = new Set(sources.map(({ path }) => path));
    expect(promiseProblems(document ?? { path: "docs/SECURITY.md", text: "" }, paths)).toEqual([]);
    expect(document?.text.split("| shown by |").length).toBeGreaterThan(3);
  });
});

describe("layerProblems()", () => {
  test.each([
    { name: "a folder below", path: "src/proxy/a.ts", text: 'import { a } from "../http/a.ts";' },
    { name: "what a folder below may", path: "src/proxy/a.ts", text: 'import "../base/a.ts";' },
    { name: "its own folder", path: "src/abi/wasi/a.ts", text: 'import { a } from "../b.ts";' },
    { name: "its package", path: "src/config/a.ts", text: 'import { parse } from "yaml";' },
    { name: "a tool in a test", path: "src/wasm/a.test.ts", text: 'import wabt from "wabt";' },
  ])("allows $name", (source) => {
    expect(layerProblems(source)).toEqual([]);
  });

  test.each([
    { name: "a folder beside", path: "src/proxy/a.ts", text: 'import { a } from "../abi/a.ts";' },
    { name: "a folder above", path: "src/base/a.ts", text: 'export * from "../http/a.ts";' },
    { name: "a type", path: "src/wasm/a.ts", text: 'import type { A } from "../http/a.ts";' },
    { name: "main", path: "src/cli/a.ts", text: 'await import("../main.ts");' },
    { name: "a nested folder", path: "src/abi/wasi/a.ts", text: 'import "../../proxy/a.ts";' },
    { name: "an unknown folder", path: "src/stray/a.ts", text: 'import "../base/a.ts";' },
    { name: "another's package", path: "src/proxy/a.ts", text: 'import { parse } from "yaml";' },
    { name: "a tool", path: "src/wasm/a.ts", text: 'import wabt from "wabt";' },
  ])("reports an import of $name with its line", (source) => {
    const found = layerProblems({ path: source.path, text: `\n${source.text}\n` });
    expect(found).toHaveLength(1);
    expect(found[0]).toStartWith(`${source.path}:2: `);
  });
});

describe("cycleProblems()", () => {
  test("reports a cycle once and names its folders", () => {
    const imports = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(cycleProblems(imports)).toEqual(["b → c → b: move what both need into a folder below"]);
  });

  test("finds none in a diamond", () => {
    const imports = new Map([
      ["a", ["b", "c"]],
      ["b", ["d"]],
      ["c", ["d"]],
    ]);
    expect(cycleProblems(imports)).toEqual([]);
  });
});

describe("sizeProblems()", () => {
  test("allows files and lines of the full size", () => {
    expect(sizeProblems({ path: "src/a/a.ts", text: linesOf(LINES_MAX) })).toEqual([]);
    expect(sizeProblems({ path: "src/a/a.test.ts", text: linesOf(TEST_LINES_MAX) })).toEqual([]);
    expect(sizeProblems({ path: "src/a/a.ts", text: `${"─".repeat(COLUMNS_MAX)}\n` })).toEqual([]);
  });

  test("reports what is one over", () => {
    const long = sizeProblems({ path: "src/a/a.ts", text: linesOf(LINES_MAX + 1) });
    expect(long).toEqual(["src/a/a.ts:401: 401 lines, at most 400: split the file"]);
    expect(sizeProblems({ path: "test/a.test.ts", text: linesOf(601) })).toHaveLength(1);
    const wide = sizeProblems({ path: "src/a/a.ts", text: `\n${"x".repeat(COLUMNS_MAX + 1)}\n` });
    expect(wide).toEqual(["src/a/a.ts:2: 101 columns, at most 100: break the line"]);
  });
});

describe("nameProblems()", () => {
  test("allows hollow words in comments and strings, and as parts of other words", () => {
    const text = '// a helper\nconst commons = "util"; const miscount = /common/;';
    expect(nameProblems({ path: "src/a/re-used.ts", text })).toEqual([]);
  });

  test.each([
    { name: "a hollow word in camel case", path: "src/a/b.ts", text: "const poolManager = 1;" },
    { name: "a hollow word in capitals", path: "src/a/b.ts", text: "const MISC_MAX = 1;" },
    { name: "a hollow word alone", path: "src/a/b.ts", text: "import * as util from 'node:util';" },
    { name: "a hollow folder", path: "src/a/helpers/b.ts", text: "" },
    { name: "a hollow file", path: "src/a/url-utils.ts", text: "" },
    { name: "a barrel", path: "src/a/index.ts", text: "" },
    { name: "a file in camel case", path: "src/a/someFile.ts", text: "" },
  ])("reports $name", ({ path, text }) => {
    expect(nameProblems({ path, text })).toHaveLength(1);
  });
});

describe("banProblems()", () => {
  test.each(BANS.map((ban) => ({ ...ban, name: String(ban.pattern) })))("fires on $name", (ban) => {
    const problems = banProblems(ban, { path: ban.badPath, text: `\n${ban.bad}\n` });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toStartWith(`${ban.badPath}:2: `);
    expect(banProblems(ban, { path: ban.badPath, text: ban.good })).toEqual([]);
  });
});

describe("deadFileProblems()", () => {
  const main = { path: "src/main.ts", text: 'import "./a/used.ts";' };

  test("allows what main or a test's scaffolding reaches", () => {
    const files = [
      main,
      { path: "src/a/used.ts", text: 'export * from "./deep.ts";' },
      { path: "src/a/deep.ts", text: "" },
      { path: "src/a/used.test.ts", text: 'import "./testing.ts";' },
      { path: "src/a/testing.ts", text: "" },
      { path: "src/a/generate.ts", text: "if (import.meta.main) run();" },
      { path: "src/a/packages.d.ts", text: "" },
    ];
    expect(deadFileProblems(files)).toEqual([]);
  });

  test("reports what nothing reaches, and product code that only tests reach", () => {
    const files = [
      main,
      { path: "src/a/used.ts", text: "" },
      { path: "src/a/forgotten.ts", text: 'import "./used.ts";' },
      { path: "src/a/b.test.ts", text: 'import "./b.ts";' },
      { path: "src/a/b.ts", text: "" },
    ];
    expect(deadFileProblems(files)).toEqual([
      "src/a/forgotten.ts:1: nothing imports this file: use it or delete it",
      "src/a/b.ts:1: only tests import this file: use it, delete it, or name it testing.ts",
    ]);
  });
});

describe("pinProblems()", () => {
  test("allows exact versions only", () => {
    const manifest = {
      dependencies: { a: "1.2.3", b: "^1.2.3" },
      devDependencies: { c: "latest" },
    };
    expect(pinProblems(JSON.stringify(manifest))).toEqual([
      'package.json:1: "b" is "^1.2.3": pin one exact version',
      'package.json:1: "c" is "latest": pin one exact version',
    ]);
  });
});

describe("limitProblems()", () => {
  test("reports a limit that only a comment or a test names", () => {
    const files = [
      { path: "src/base/limits.ts", text: "const LIMITS = {\n  a: 1,\n  b: 2,\n} as const;" },
      { path: "src/base/x-limits.ts", text: "export const X_LIMITS = {\n  c: 3,\n} as const;" },
      { path: "src/x/x.ts", text: "use(LIMITS.a); // LIMITS.b" },
      { path: "src/x/x.test.ts", text: "use(LIMITS.c);" },
    ];
    expect(limitProblems(files)).toEqual([
      "src/base/limits.ts:3: nothing enforces LIMITS.b: enforce it or delete it",
      "src/base/x-limits.ts:2: nothing enforces LIMITS.c: enforce it or delete it",
    ]);
  });
});

describe("promiseProblems()", () => {
  test("reports a test that does not exist, and a row without one", () => {
    const text = `
See \`src/a.test.ts\` and \`src/b.test.ts\`.

| what | shown by |
|---|---|
| one | \`src/a.test.ts\` \`test/hostile\` |
| two | \`test/hostile\` |
| three | by looking |
| \`src/a.test.ts\` | |

| what | because |
|---|---|
| other | table |
`;
    const paths = new Set(["src/a.test.ts"]);
    expect(promiseProblems({ path: "docs/a.md", text }, paths)).toEqual([
      "docs/a.md:2: src/b.test.ts does not exist: name another test",
      "docs/a.md:8: no test shows this: write one and name it",
      "docs/a.md:9: no test shows this: write one and name it",
    ]);
  });
});

describe("blank()", () => {
  test.each([
    { name: "comments", text: "a; // b\n/* c\n d */ e;", kept: "a; \n\n e;" },
    { name: "strings", text: "f(\"x'\", 'y\"', `z\n`);", kept: 'f("", "", ""\n);' },
    { name: "slashes inside strings", text: 'f("http://a"); g();', kept: 'f(""); g();' },
    { name: "quotes inside expressions", text: 'f(/["\'`]/u); g("x");', kept: 'f(""); g("");' },
    { name: "divisions", text: "a / b; c / d;", kept: "a / b; c / d;" },
  ])("handles $name and keeps the line breaks", ({ text, kept }) => {
    expect(blank(text).replaceAll(/ +/g, " ")).toBe(kept);
  });
});

function linesOf(count: number): string {
  return "x;\n".repeat(count);
}
