import { describe, expect, test } from "bun:test";
import { basename, dirname, join } from "node:path";
import { Glob } from "bun";
import { log } from "../../src/base/log.ts";
import { type Conformance, linesOf, resultsOf } from "./case.ts";
import { TABLES } from "./tables.ts";

log.configure({ level: "error", format: "text" });

/** All host functions that have cases, and what else is told of callbacks, by their file. */
const files = new Map<string, Conformance>();
for (const path of [...new Glob("*/*.ts").scanSync({ cwd: import.meta.dir })].toSorted()) {
  const loaded = (await import(join(import.meta.dir, path))) as { conformance: Conformance };
  files.set(path, loaded.conformance);
}

for (const [path, conformance] of files) {
  describe(path, () => {
    test.each(conformance.cases.map((each) => [each.name, each] as const))(
      "%s",
      async (_, each) => {
        expect(await linesOf(conformance, each)).toEqual([...each.lines]);
      },
    );
  });
}

describe.each(TABLES)("the functions of $folder", ({ folder, names, statuses }) => {
  const own = [...files].filter(([path]) => dirname(path) === folder);

  test("have each a file of their name, with cases of different names", () => {
    expect(own.map(([path]) => path)).toEqual(
      names.map((name) => `${folder}/${name.replaceAll("_", "-")}.ts`).toSorted(),
    );
    for (const [path, { of, cases }] of own) {
      expect(basename(path)).toBe(`${of.replaceAll("_", "-")}.ts`);
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    }
  });

  test.each(own)("%s brings about every status, and no other", async (_, conformance) => {
    const results = await resultsOf(conformance);
    expect([...results].toSorted()).toEqual([...(statuses[conformance.of] ?? [])].toSorted());
  });
});
