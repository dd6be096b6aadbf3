/** `sluice plugin run` as a user types it: what it prints, what it writes, its exit codes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PRELUDE, wat } from "../../src/abi/proxy-wasm/testing.ts";
import { sluice } from "./support/gateway.ts";

const ROOT = join(import.meta.dir, "../..");
const ADD_HEADER = join(ROOT, "plugins/add-header.wasm");
const CONFIG = ["--config", '{"name":"X-Team","value":"blue"}'];

/** A plugin with that code in its request headers. */
function headers(code: string): Uint8Array {
  return wat(`(module ${PRELUDE}
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) ${code}))`);
}

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "plugin-run-"));
  writeFileSync(join(cwd, "trap.wasm"), headers("unreachable"));
  writeFileSync(join(cwd, "loop.wasm"), headers("(loop (br 0)) (i32.const 0)"));
  writeFileSync(join(cwd, "pause.wasm"), headers("(i32.const 1)"));
  writeFileSync(join(cwd, "unknown.wasm"), wat(`(module (import "env" "no" (func)) ${PRELUDE})`));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]) => sluice(["plugin", "run", ...args], { cwd });

/** Words of a command line with quotes. */
function words(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? "");
}

describe("sluice plugin run", () => {
  test("prints what docs/PLUGINS.md says", async () => {
    const text = readFileSync(join(ROOT, "docs/PLUGINS.md"), "utf8");
    const [, command = "", printed] =
      /```console\n\$ sluice (plugin run plugins\/add-header[^\n]*)\n([^]*?)```/.exec(text) ?? [];
    const { code, stdout, stderr } = await sluice(words(command), { cwd: ROOT });
    expect(stdout).toBe(printed as string);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("is 0 for every exchange that ran, whatever its status", async () => {
    const { code, stdout, stderr } = await run(ADD_HEADER, ...CONFIG, "--response", "timeout");
    expect(stdout).toMatch(/^to client:\n {2}504$/m);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const paused = await run("pause.wasm");
    expect(paused.stdout).toContain("FILTER_PAUSED_TOO_LONG");
    expect(paused.code).toBe(0);
  });

  test("finds a recording of the same module the same", async () => {
    const recorded = await run(ADD_HEADER, ...CONFIG, "--record", "run.jsonl");
    expect(recorded).toMatchObject({ code: 0, stderr: "" });
    expect(await run(ADD_HEADER, "--replay", "run.jsonl")).toEqual({
      code: 0,
      stdout: "the same as run.jsonl: 9 events\n",
      stderr: "",
    });
  });
});

describe("sluice plugin run errors", () => {
  test("is 1 for a plugin that fails, and shows where", async () => {
    for (const [file, why] of [
      ["trap.wasm", "trap"],
      ["loop.wasm", "used up its time: 20 ms"],
    ] as const) {
      const { code, stdout, stderr } = await run(file);
      expect(stdout).toContain("\n< proxy_on_request_headers failed: ");
      expect(stdout).toContain(why);
      expect(stdout).toMatch(/^to client:\n {2}503$/m);
      expect({ file, code, stderr }).toEqual({ file, code: 1, stderr: "" });
    }
  });

  test("is 1 for a plugin that is refused, with the reason", async () => {
    const { code, stdout } = await run("unknown.wasm");
    expect(stdout).toMatch(/^refused: .*env\.no/m);
    expect(code).toBe(1);
  });

  test("shows the first difference to a recording", async () => {
    const other = ["--config", '{"name":"X-Team","value":"red"}'];
    expect(await run(ADD_HEADER, ...other, "--record", "red.jsonl")).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await run("pause.wasm", "--replay", "red.jsonl");
    expect(stdout).toBe(
      "different from red.jsonl:2\n" +
        "  recorded  > proxy_on_configure(context=1, bytes=31)\n" +
        "  now       the module does not export proxy_on_configure\n",
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  });

  test("says what is wrong with a file", async () => {
    writeFileSync(join(cwd, "broken.jsonl"), "{}\n");
    for (const [args, says] of [
      [["gone.wasm"], "gone.wasm"],
      [[ADD_HEADER, "--replay", "gone.jsonl"], "gone.jsonl"],
      [[ADD_HEADER, "--replay", "broken.jsonl"], "line 1: it is no transcript"],
      [[ADD_HEADER, ...CONFIG, "--record", "."], "Cannot write"],
    ] as const) {
      const { code, stderr } = await run(...args);
      expect(stderr).toStartWith("sluice: ");
      expect(stderr).toContain(says);
      expect(code).toBe(1);
    }
  });

  test.each([
    { args: ["plugin"], says: "not nothing" },
    { args: ["plugin", "walk"], says: 'not "walk"' },
    { args: ["plugin", "run"], says: "a module file" },
    { args: ["plugin", "run", "a.wasm", "b.wasm"], says: '"b.wasm"' },
    { args: ["plugin", "run", "a.wasm", "--chunk", "x"], says: "--chunk" },
    { args: ["plugin", "run", "a.wasm", "--replay", "r", "-d", "x"], says: "--body" },
  ])("is 2 for wrong usage: sluice $args", async ({ args, says }) => {
    const { code, stdout, stderr } = await sluice(args, { cwd });
    expect(stderr).toStartWith("sluice: ");
    expect(stderr).toContain(says);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
