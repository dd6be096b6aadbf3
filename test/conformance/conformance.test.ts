import { describe, expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { log } from "../../src/base/log.ts";
import { type Conformance, linesOf, resultsOf } from "./case.ts";
import { type FunctionTable, TABLES } from "./tables.ts";

log.configure({ level: "error", format: "text" });

/** What a file has: the cases of what it is named after, or of several that are alike. */
interface Loaded {
  readonly conformance?: Conformance;
  readonly alike?: readonly Conformance[];
}

/** All host functions that have cases, and what else is told of callbacks, by their file. */
const files: (readonly [path: string, Conformance])[] = [];
for (const path of [...new Glob("*/*.ts").scanSync({ cwd: import.meta.dir })].toSorted()) {
  const { conformance, alike } = (await import(join(import.meta.dir, path))) as Loaded;
  if (conformance !== undefined) files.push([path, conformance]);
  for (const each of alike ?? []) files.push([path, each]);
}

for (const [path, conformance] of files) {
  describe(`${path}, ${conformance.of}`, () => {
    test.each(conformance.cases.map((each) => [each.name, each] as const))(
      "%s",
      async (_, each) => {
        expect(await linesOf(conformance, each)).toEqual([...each.lines]);
      },
    );
  });
}

describe.each(TABLES)("the functions of $folder", ({ folder, names, alike, statuses }) => {
  const own = files.filter(([path]) => dirname(path) === folder);

  test("have each a file of their name, with cases of different names", () => {
    expect(own.map(([path, { of }]) => `${path}: ${of}`).toSorted()).toEqual(
      names.map((name) => `${folder}/${fileOf(name, alike)}.ts: ${name}`).toSorted(),
    );
    for (const [, { cases }] of own) {
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    }
  });

  test.each(own.map(([, conformance]) => [conformance.of, conformance] as const))(
    "%s brings about every status, and no other",
    async (_, conformance) => {
      const results = await resultsOf(conformance);
      expect([...results].toSorted()).toEqual([...(statuses[conformance.of] ?? [])].toSorted());
    },
  );
});

function fileOf(name: string, alike: FunctionTable["alike"]): string {
  return alike?.names.includes(name) ? alike.file : name.replaceAll("_", "-");
}
