import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import { sluice } from "./support/gateway.ts";

const ROOT = join(import.meta.dir, "../..");
const files = ["gateway.yaml", ...new Glob("examples/*.yaml").scanSync(ROOT)].toSorted();

describe("a configuration of the repository", () => {
  test.each(files)("%s is valid, its plugins started, without a warning", async (file) => {
    const { code, stdout, stderr } = await sluice(["validate", file], { cwd: ROOT });
    expect(stderr).toBe("");
    expect(stdout).toBe(`${file}: valid\n`);
    expect(code).toBe(0);
  });

  test("is not the only one that was found", () => {
    expect(files.length).toBeGreaterThan(5);
  });
});
