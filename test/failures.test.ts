import { expect, test } from "bun:test";

async function failuresOf(output: string): Promise<string> {
  const awk = Bun.spawn(["awk", "-f", `${import.meta.dir}/failures.awk`], {
    stdin: new Blob([output]),
    stdout: "pipe",
  });
  return (await awk.stdout.text()).trimEnd();
}

test("failures are told with their file and what was said, what passed is not", async () => {
  const output = [
    "bun test v1",
    "",
    "a/one.test.ts:",
    "said by what passes",
    "(pass) first [1.00ms]",
    "said by what fails",
    "\u001b[31merror\u001b[0m: expected 1",
    "\u001b[31m(fail)\u001b[0m second [2.00ms]",
    "(pass) third",
    "",
    "b.test.ts:",
    "(fail) fourth [100.00ms]",
    "  ^ this test timed out after 100ms.",
    "(pass) fifth",
    "  ^ no note of a failure",
    "z.test.ts:",
    "",
    "2 tests failed:",
    "\u001b[31m(fail)\u001b[0m second [2.00ms]",
    "(fail) fourth [100.00ms]",
    " 3 pass",
    " 2 fail",
    "Ran 5 tests",
  ];
  expect((await failuresOf(output.join("\n"))).split("\n")).toEqual([
    "a/one.test.ts:",
    "said by what fails",
    "\u001b[31merror\u001b[0m: expected 1",
    "\u001b[31m(fail)\u001b[0m second [2.00ms]",
    "b.test.ts:",
    "(fail) fourth [100.00ms]",
    "  ^ this test timed out after 100ms.",
  ]);
});

test("a file that failed outside of its tests is told", async () => {
  const error = ["# Unhandled error between tests", "-----", "error: no module", "-----"];
  const output = ["c.test.ts:", ...error, "", "d.test.ts:", "(pass) first", " 1 error"];
  expect(await failuresOf(output.join("\n"))).toBe(["c.test.ts:", ...error].join("\n"));
});

test("of a failure that says much, the last 40 lines are told", async () => {
  const said = Array.from({ length: 100 }, (_, at) => `line ${at}`);
  const told = await failuresOf(["c.test.ts:", ...said, "(fail) long"].join("\n"));
  expect(told.split("\n")).toEqual(["c.test.ts:", ...said.slice(-39), "(fail) long"]);
});

test("nothing is told when nothing failed", async () => {
  expect(await failuresOf("c.test.ts:\n(pass) first\n 1 pass\n 0 fail\nRan 1 test")).toBe("");
});
