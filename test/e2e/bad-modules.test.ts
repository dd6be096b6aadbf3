/**
 * Modules that cannot be used: refused by `validate`, by `run` at its start, and as a reload, while
 * what served before goes on serving. Each time with the reason, the plugin's place, and exit 1.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PRELUDE, wat } from "../../src/abi/proxy-wasm/testing.ts";
import { FRONTS, LISTEN_ON_BOTH, portOf } from "./support/fronts.ts";
import { Gateway, sluice, startGateway, until } from "./support/gateway.ts";
import { type Load, startLoad } from "./support/load.ts";

interface BadModule {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: string;
  /** What the message says beside the code. */
  readonly says: string;
}

const onConfigure = (body: string): Uint8Array =>
  wat(`(module ${PRELUDE}
    (func (export "proxy_on_configure") (param i32 i32) (result i32) ${body}))`);
const importing = (module: string, name: string, type: string): Uint8Array =>
  wat(`(module (import "${module}" "${name}" ${type}) ${PRELUDE})`);

const GOOD = onConfigure("(i32.const 1)");
const LOOPS = onConfigure("(loop $again (br $again)) (i32.const 1)");
const WITHOUT_MARKER = PRELUDE.replace('(func (export "proxy_abi_version_0_2_1"))', "");
const BAD: readonly BadModule[] = [
  {
    name: "text instead of a module",
    bytes: Buffer.from("#!/bin/sh\necho plugin\n"),
    code: "PLUGIN_NOT_WASM",
    says: 'does not start with "\\0asm"',
  },
  {
    name: "an empty file",
    bytes: new Uint8Array(0),
    code: "PLUGIN_NOT_WASM",
    says: "the file is empty",
  },
  {
    name: "a component",
    bytes: new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
    code: "PLUGIN_NOT_WASM",
    says: "a core module (version 1) is needed",
  },
  {
    name: "a truncated module",
    bytes: GOOD.slice(0, GOOD.length - 9),
    code: "PLUGIN_TRUNCATED",
    says: "the file has",
  },
  {
    name: "garbage behind a module",
    bytes: Buffer.concat([GOOD, Buffer.from("garbage")]),
    code: "PLUGIN_MALFORMED",
    says: "unknown section",
  },
  {
    name: "an import of an unknown function",
    bytes: importing("env", "proxy_launch_rocket", "(func (param i32) (result i32))"),
    code: "PLUGIN_UNKNOWN_IMPORT",
    says: '"env.proxy_launch_rocket"',
  },
  {
    name: "an import of an unknown WASI function",
    bytes: importing("wasi_snapshot_preview1", "sock_listen", "(func (param i32) (result i32))"),
    code: "PLUGIN_UNKNOWN_IMPORT",
    says: '"wasi_snapshot_preview1.sock_listen"',
  },
  {
    name: "an import with a wrong signature",
    bytes: importing("env", "proxy_log", "(func (param i64))"),
    code: "PLUGIN_IMPORT_SIGNATURE",
    says: "expected (i32, i32, i32) -> i32, found (i64) -> ()",
  },
  {
    name: "a callback with a wrong signature",
    bytes: wat(`(module ${PRELUDE} (func (export "proxy_on_configure") (param i64)))`),
    code: "PLUGIN_EXPORT_SIGNATURE",
    says: '"proxy_on_configure"',
  },
  {
    name: "a memory of somebody else",
    bytes: importing("env", "memory", "(memory 1)"),
    code: "PLUGIN_IMPORTED_STATE",
    says: '"env.memory"',
  },
  {
    name: "a memory above the limit",
    bytes: wat(`(module ${PRELUDE.replace('"memory") 1', '"memory") 60000')})`),
    code: "PLUGIN_MEMORY_TOO_LARGE",
    says: "60000 pages",
  },
  {
    name: "no ABI marker",
    bytes: wat(`(module ${WITHOUT_MARKER})`),
    code: "PLUGIN_NO_ABI",
    says: "no ABI marker",
  },
  {
    name: "the marker of an unknown ABI version",
    bytes: wat(`(module ${WITHOUT_MARKER} (func (export "proxy_abi_version_9_9_9")))`),
    code: "PLUGIN_NO_ABI",
    says: "proxy_abi_version_9_9_9",
  },
  {
    name: "on_configure answers false",
    bytes: onConfigure("(i32.const 0)"),
    code: "PLUGIN_REFUSED",
    says: "proxy_on_configure answered false",
  },
  {
    name: "on_vm_start answers false",
    bytes: wat(`(module ${PRELUDE}
      (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 0)))`),
    code: "PLUGIN_REFUSED",
    says: "proxy_on_vm_start answered false",
  },
  {
    name: "on_configure traps",
    bytes: onConfigure("unreachable"),
    code: "PLUGIN_REFUSED",
    says: "trap",
  },
  {
    name: "on_configure never returns",
    bytes: LOOPS,
    code: "PLUGIN_REFUSED",
    says: "it has used up its time: 2000 ms (limits.start)",
  },
  {
    name: "on_configure recurses for ever",
    bytes: wat(`(module ${PRELUDE}
      (func $deeper (param i32 i32) (result i32)
        (i32.add (call $deeper (local.get 0) (local.get 1)) (i32.const 1)))
      (export "proxy_on_configure" (func $deeper)))`),
    code: "PLUGIN_REFUSED",
    says: "stack overflow",
  },
  {
    name: "the start section traps",
    bytes: wat(`(module ${PRELUDE} (func $start unreachable) (start $start))`),
    code: "PLUGIN_REFUSED",
    says: "start section",
  },
];

/** Line 7, column 15 is where the plugin stands. */
const yaml = (plugin: string, more = ""): string => `
${LISTEN_ON_BOTH}
workers: 2
routes:
  - id: all
    uri: /*
    plugins: [${plugin}]
    upstream: { nodes: { "builtin:httpbin": 1 } }
${more}`;

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("sluice validate", () => {
  test.each([...BAD])("refuses $name", async ({ bytes, code, says }) => {
    const cwd = await folderWith(yaml("bad"), bytes);
    const { code: exit, stdout, stderr } = await sluice(["validate"], { cwd });
    expect(stderr).toContain(says);
    expect(stderr).toMatch(new RegExp(`gateway\\.yaml:7:15: error: .*"bad".*\\[${code}\\]`));
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
  });

  test("refuses a file that is not there", async () => {
    const cwd = await folderWith(yaml("gone", declared("gone", "nowhere/gone.wasm")), GOOD);
    const { code, stderr } = await sluice(["validate"], { cwd });
    expect(stderr).toContain("nowhere/gone.wasm");
    expect(code).toBe(1);
  });

  test("refuses another sha256 than the declared one, and names both", async () => {
    const expected = "0".repeat(64);
    const found = new Bun.CryptoHasher("sha256").update(GOOD).digest("hex");
    const pinned = yaml(
      "good",
      `${declared("good", "plugins/bad.wasm")}      sha256: "${expected}"\n`,
    );
    const cwd = await folderWith(pinned, GOOD);
    const wrong = await sluice(["validate"], { cwd });
    expect(wrong.stderr).toMatch(/error: .*"good".*\[PLUGIN_HASH_MISMATCH\]/);
    expect(wrong.stderr).toContain(`its sha256 is ${found}, expected ${expected}`);
    expect(wrong.code).toBe(1);
    await Bun.write(join(cwd, "gateway.yaml"), pinned.replace(expected, found.toUpperCase()));
    expect((await sluice(["validate"], { cwd })).code).toBe(0);
  });

  test("tells of every bad module at once, as JSON too", async () => {
    const cwd = await folderWith(yaml("bad, worse"), new Uint8Array(0));
    await Bun.write(join(cwd, "plugins/worse.wasm"), "no module");
    const { code, stdout } = await sluice(["validate", "--json"], { cwd });
    const { valid, diagnostics } = JSON.parse(stdout) as {
      valid: boolean;
      diagnostics: { code: string; line: number; column: number }[];
    };
    expect(diagnostics).toMatchObject([
      { code: "PLUGIN_NOT_WASM", line: 7, column: 15 },
      { code: "PLUGIN_NOT_WASM", line: 7, column: 20 },
    ]);
    expect({ code, valid }).toEqual({ code: 1, valid: false });
  });

  test("leaves a bad module alone that no route uses", async () => {
    const cwd = await folderWith(yaml("good"), new Uint8Array(0));
    await Bun.write(join(cwd, "plugins/good.wasm"), GOOD);
    expect((await sluice(["validate"], { cwd })).code).toBe(0);
  });
});

describe("sluice run", () => {
  test.each([...BAD])("does not start with $name", async ({ bytes, code, says }) => {
    const cwd = await folderWith(yaml("bad"), bytes);
    const { code: exit, stderr } = await sluice(["run"], { cwd });
    expect(stderr).toContain(says);
    expect(stderr).toMatch(new RegExp(`gateway\\.yaml:7:15: error: .*"bad".*\\[${code}\\]`));
    expect(stderr).not.toContain("listening");
    expect(exit).toBe(1);
    expect(processesIn(cwd)).toEqual([]);
  });

  test("a worker that is caught in a module ends when its master is killed", async () => {
    await using gateway = new Gateway(await folderWith(yaml("bad"), LOOPS), {});
    const workers = await until(
      () => gateway.workers(),
      // How many are in it at once depends on the cores: the others start when one serves.
      (pids) => pids.length > 0 && pids.every((pid) => cpuTicks(pid) > 20),
    );
    gateway.child.kill("SIGKILL");
    await gateway.child.exited;
    const gone = until(
      () => workers.filter((pid) => processesIn(gateway.folder).includes(String(pid))),
      (left) => left.length === 0,
    );
    const ended = await endsWithin(gone, 3000);
    for (const pid of workers) if (!ended) process.kill(pid, "SIGKILL");
    await gone;
    expect(ended).toBe(true);
  });
});

describe("a reload", () => {
  let gateway: Gateway;
  let loads: Load[];
  const good = yaml("served");

  beforeAll(async () => {
    gateway = await startGateway(good, { files: { "plugins/served.wasm": GOOD } });
    loads = FRONTS.map((front) =>
      startLoad(`http://127.0.0.1:${portOf(gateway, front)}/get`, {
        connections: 2,
        isGood: ({ status }) => status === 200,
      }),
    );
  });

  afterAll(async () => {
    for (const load of loads) await load.stop();
    await gateway[Symbol.asyncDispose]();
  });

  test.each([...BAD])("is refused for $name, and no request fails", async (bad) => {
    await Bun.write(join(gateway.folder, "plugins/bad.wasm"), bad.bytes);
    const log = await refusalOf(yaml("bad"));
    expect(log).toContain(bad.says);
    expect(log).toMatch(new RegExp(`gateway\\.yaml:7:15: error: .*"bad".*\\[${bad.code}\\]`));
    await stillServes();
  });

  test("is refused when a plugin file turns bad, and goes through when it is good", async () => {
    const from = gateway.lines.length;
    await Bun.write(join(gateway.folder, "plugins/served.wasm"), GOOD.slice(0, 40));
    await gateway.logged(/reload refused/, from);
    expect(gateway.lines.slice(from).join("\n")).toContain("[PLUGIN_TRUNCATED]");
    await stillServes();
    const again = gateway.lines.length;
    await Bun.write(join(gateway.folder, "plugins/served.wasm"), onConfigure("(i32.const 2)"));
    await gateway.logged(/ reloaded /, again);
    await stillServes();
  });

  /** The old generation serves, and has done so all the time. */
  async function stillServes(): Promise<void> {
    const enough = loads.map((load) => load.good + 10);
    expect((await gateway.fetch("/get")).status).toBe(200);
    for (const [n, load] of loads.entries()) {
      while (load.good < (enough[n] ?? 0) && load.bad.length === 0) await Bun.sleep(10);
      expect(load.bad).toEqual([]);
    }
  }

  /** Saves the file, then the good one again. @returns what was logged about the first */
  async function refusalOf(file: string): Promise<string> {
    const from = gateway.lines.length;
    expect(await gateway.reload(file)).toBe("refused");
    const log = gateway.lines.slice(from).join("\n");
    expect(await gateway.reload(good)).toBe("reloaded");
    return log;
  }
});

async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}

/** Hundredths of a second that the process has computed. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[12]);
}

function declared(name: string, file: string): string {
  return `wasm:\n  plugins:\n    - name: ${name}\n      file: ${file}\n`;
}

/** A folder with a gateway.yaml and plugins/bad.wasm. */
async function folderWith(text: string, module: Uint8Array): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-modules-"));
  folders.push(folder);
  await Bun.write(join(folder, "gateway.yaml"), text);
  await Bun.write(join(folder, "plugins/bad.wasm"), module);
  return folder;
}

/** Process ids of all that run in the folder: a gateway's workers have its working directory. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readlinkSync(`/proc/${name}/cwd`) === folder;
    } catch {
      return false; // It has just ended.
    }
  });
}
