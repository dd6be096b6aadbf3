import { describe, expect, test } from "bun:test";
import { join } from "node:path";

/** "f" ends after some turns, unless its argument is 1: then it says so to the host and goes on. */
const GUESTS = [
  {
    name: "a loop",
    body: `(loop $next
      (br_if $next (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 2))))`,
  },
  {
    name: "a loop that was compiled by the optimizer before",
    body: `(loop $again
      (loop $next
        (i32.store (i32.and (local.get 1) (i32.const 0xfffc)) (local.get 1))
        (br_if $next (i32.and (i32.const 0xff)
          (local.tee 1 (i32.add (local.get 1) (i32.const 1))))))
      (br_if $again (i32.lt_u (local.get 1) (local.get 2))))`,
  },
  { name: "recursion", body: "(call $deep (local.get 2))" },
  {
    name: "calls that double",
    body: "(call $twice (local.get 2))",
  },
];

describe("a poll", () => {
  test.each(GUESTS)("ends $name when its page is gone, and not before", async ({ name, body }) => {
    for (const kind of ["poll", "both"]) {
      const outcomes = await pollInProcess(
        guest(body, name === "calls that double" ? [10, 60] : [1_000_000, -1]),
        kind,
      );
      expect(outcomes[0]).toContain("Out of bounds memory access");
      expect(outcomes[1]).toBe("undefined");
      expect(outcomes[2]).toContain("Out of bounds memory access");
      expect(outcomes[3]).toBe("undefined");
      if (kind === "both") expect(outcomes[4]).toContain("Unreachable code");
    }
  });
});

function guest(body: string, [few, many]: readonly [number, number]): string {
  return `(module
    (import "env" "expire" (func $expire))
    (memory (export "memory") 1)
    (func $deep (param i32) (if (i32.lt_u (i32.const 2000) (local.get 0))
      (then (return_call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))))
    (func $twice (param i32) (if (local.get 0) (then
      (call $twice (i32.sub (local.get 0) (i32.const 1)))
      (call $twice (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "f") (param $expires i32) (local i32 i32)
      (local.set 2 (i32.const ${few}))
      (if (local.get $expires) (then (call $expire) (local.set 2 (i32.const ${many}))))
      ${body}))`;
}

async function pollInProcess(text: string, kind: string): Promise<string[]> {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "poll.testing.ts"), text, kind],
    { env: { ...process.env, BUN_JSC_maxNumWasmFastMemories: "10000" }, stderr: "inherit" },
  );
  const output = await child.stdout.text();
  expect(await child.exited).toBe(0);
  return JSON.parse(output) as string[];
}
