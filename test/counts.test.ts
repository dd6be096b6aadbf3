import { describe, expect, test } from "bun:test";

describe("counts.awk", () => {
  test.each([
    {
      name: "adds failures and errors outside of tests",
      output: "(pass) a\n\n 4 pass\n 1 skip\n 7 fail\n 2 errors\n 12 expect() calls\nRan 13 tests",
      counts: "4 9",
    },
    {
      name: "counts a single error",
      output: " 0 pass\n 0 fail\n 1 error\nRan 1 test",
      counts: "0 1",
    },
    {
      name: "sees through colours",
      output: "\u001b[32m 3 pass\u001b[0m\n\u001b[2m 0 fail\u001b[0m\nRan 3 tests across 1 file.",
      counts: "3 0",
    },
    {
      name: "is not fooled by what a test prints",
      output:
        " 9 pass\n 0 fail\nRan 9 tests\n(fail) liar\n\n 0 pass\n 1 fail\nRan 1 test across 1 file.",
      counts: "0 1",
    },
    {
      name: "forgets counts that are not above the last line",
      output: " 5 pass\nsomething else\n 1 fail\nRan 1 test",
      counts: "0 1",
    },
    {
      name: "counts nothing when the run broke off",
      output: "(pass) a\n(pass) b\n",
      counts: "0 0",
    },
  ])("$name", async ({ output, counts }) => {
    const awk = Bun.spawn(["awk", "-f", `${import.meta.dir}/counts.awk`], {
      stdin: new Blob([output]),
      stdout: "pipe",
    });
    expect((await awk.stdout.text()).trim()).toBe(counts);
  });
});
