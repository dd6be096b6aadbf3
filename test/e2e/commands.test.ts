/** The commands of the executable as a user types them: what they print, and their exit codes. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FRONTS } from "./support/fronts.ts";
import { sluice, SLUICE } from "./support/gateway.ts";

const ROOT = join(import.meta.dir, "../..");
const ADD_HEADER = join(ROOT, "plugins/add-header.wasm");
const COMMANDS = ["run", "validate", "schema", "inspect", "plugin", "httpbin", "version"];

const VALID = `listen: 127.0.0.1:0
routes:
  - id: all
    uri: /*
    upstream: { nodes: { "builtin:httpbin": 1 } }
`;
/** Two mistakes, and a name that is nearly right. */
const INVALID = `listen: 127.0.0.1:0
routes:
  - id: all
    uri: /*
    upstream_id: ap
    methds: [GET]
upstreams:
  - id: app
    nodes: { "127.0.0.1:1": 1 }
`;

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("sluice validate", () => {
  test("finds the shipped configuration valid", async () => {
    const { code, stdout, stderr } = await sluice(["validate"], { cwd: ROOT });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "gateway.yaml: valid\n",
      stderr: "",
    });
  });

  test("takes ./gateway.yaml when no file is named, and any other by name", async () => {
    const cwd = folderWith({ "gateway.yaml": VALID, "other/file.yaml": VALID });
    expect(await sluice(["validate"], { cwd })).toMatchObject({
      code: 0,
      stdout: "gateway.yaml: valid\n",
    });
    expect(await sluice(["validate", "other/file.yaml"], { cwd })).toMatchObject({
      code: 0,
      stdout: "other/file.yaml: valid\n",
    });
  });

  test("says that it is valid as JSON", async () => {
    const cwd = folderWith({ "gateway.yaml": VALID });
    const { code, stdout, stderr } = await sluice(["validate", "--json"], { cwd });
    expect(JSON.parse(stdout)).toEqual({ valid: true, diagnostics: [] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("does not open the ports: a running gateway need not stop", async () => {
    using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const yaml = VALID.replace("127.0.0.1:0", `127.0.0.1:${listener.port}`);
    const cwd = folderWith({ "gateway.yaml": yaml });
    expect((await sluice(["validate"], { cwd })).code).toBe(0);
  });
});

describe("sluice validate errors", () => {
  test("prints every mistake with its line, a caret and the right name", async () => {
    const cwd = folderWith({ "gateway.yaml": INVALID });
    const { code, stdout, stderr } = await sluice(["validate"], { cwd });
    expect(stderr).toMatch(/gateway\.yaml:5:18: error: .*"ap".* \[\w+\]\n +5 │ .*\n +│ +\^\^/);
    expect(stderr).toMatch(/gateway\.yaml:6:5: error: .*"methds".* \[\w+\]\n +6 │ .*\n +│ +\^{6}/);
    expect(stderr).toContain('"app"');
    expect(stderr).toContain('"methods"');
    expect(stderr.indexOf(":5:")).toBeLessThan(stderr.indexOf(":6:"));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  test("prints the same as JSON, on standard output alone", async () => {
    const cwd = folderWith({ "gateway.yaml": INVALID });
    const { code, stdout, stderr } = await sluice(["validate", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      diagnostics: [
        { severity: "error", line: 5, column: 18, code: expect.any(String) },
        { severity: "error", line: 6, column: 5, message: expect.stringContaining("methds") },
      ],
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  });

  test("names a file that is not there", async () => {
    const cwd = folderWith({ "folder/file": "" });
    for (const args of [["validate"], ["validate", "gone.yaml"], ["validate", "folder"]]) {
      const { code, stdout, stderr } = await sluice(args, { cwd });
      expect(stderr).toContain(args[1] ?? "gateway.yaml");
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: "" });
    }
    const { stdout } = await sluice(["validate", "gone.yaml", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      diagnostics: [{ file: expect.stringContaining("gone.yaml"), line: null }],
    });
  });

  test("refuses text that is no YAML, with the place", async () => {
    const cwd = folderWith({ "gateway.yaml": "routes:\n  - id: [a\n" });
    const { code, stderr } = await sluice(["validate"], { cwd });
    expect(stderr).toMatch(/gateway\.yaml:\d+:\d+: error: /);
    expect(code).toBe(1);
  });
});

describe("sluice schema", () => {
  test("prints a JSON Schema that describes every word", async () => {
    const { code, stdout, stderr } = await sluice(["schema"]);
    const schema = JSON.parse(stdout) as { properties: Record<string, { description?: string }> };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(["listen", "routes", "upstreams", "workers"]),
    );
    const silent = Object.entries(schema.properties).filter(
      ([, { description = "" }]) => !description,
    );
    expect(silent).toEqual([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("sluice inspect", () => {
  test("shows ABI, callbacks and host functions of the bundled plugin", async () => {
    const { code, stdout, stderr } = await sluice(["inspect", ADD_HEADER]);
    expect(stdout).toMatch(/^abi: +proxy-wasm 0\.2\.1$/m);
    expect(stdout).toMatch(/^ +proxy_on_request_headers$/m);
    expect(stdout).toMatch(/^ +proxy_add_header_map_value$/m);
    expect(stdout).toMatch(/^problems: +none$/m);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("sluice inspect errors", () => {
  test("says what is wrong with garbage and with a truncated module", async () => {
    const whole = await Bun.file(ADD_HEADER).bytes();
    const cwd = folderWith({ "garbage.wasm": "garbage", "cut.wasm": whole.slice(0, 1000) });
    const garbage = await sluice(["inspect", "garbage.wasm"], { cwd });
    expect(garbage.stdout).toContain("[NOT_WASM]");
    expect(garbage.code).toBe(1);
    const cut = await sluice(["inspect", "cut.wasm"], { cwd });
    expect(cut.stdout).toContain("[TRUNCATED]");
    expect(cut.code).toBe(1);
  });

  test("names a file that it cannot read", async () => {
    const cwd = folderWith({ "folder/file": "" });
    for (const file of ["gone.wasm", "folder"]) {
      const { code, stdout, stderr } = await sluice(["inspect", file], { cwd });
      expect(stderr).toMatch(/^sluice: /);
      expect(stderr).toContain(file);
      expect({ file, code, stdout }).toEqual({ file, code: 1, stdout: "" });
    }
  });
});

describe("sluice version", () => {
  test.each(["version", "--version", "-v"])("is printed for %s", async (word) => {
    const { version } = (await Bun.file(join(ROOT, "package.json")).json()) as { version: string };
    const { code, stdout, stderr } = await sluice([word]);
    expect(stdout).toMatch(
      new RegExp(`^sluice ${version} \\(Bun \\d+\\.\\d+\\.\\d+, \\w+-\\w+\\)\\n$`),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("sluice httpbin", () => {
  test("serves on the port that the system chose, until SIGTERM", async () => {
    await using server = await startHttpbin("127.0.0.1:0");
    const answer = await fetch(`http://127.0.0.1:${server.port}/get?a=1`);
    expect(await answer.json()).toMatchObject({ args: { a: "1" } });
    server.child.kill("SIGTERM");
    expect(await server.child.exited).toBe(0);
  });

  test("listens on IPv6", async () => {
    await using server = await startHttpbin("[::1]:0");
    expect((await fetch(`http://[::1]:${server.port}/get`)).status).toBe(200);
  });
});

describe("sluice httpbin errors", () => {
  test("names the address that is in use", async () => {
    using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const address = `127.0.0.1:${listener.port}`;
    const { code, stdout, stderr } = await sluice(["httpbin", "--listen", address]);
    expect(stderr).toMatch(/^sluice: /);
    expect(stderr).toContain(address);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});

describe("--help", () => {
  test.each(COMMANDS)("tells the usage of %s", async (command) => {
    const { code, stdout, stderr } = await sluice([command, "--help"]);
    expect(stdout).toContain(`Usage: sluice ${command}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const same of [
      ["help", command],
      [command, "-h"],
      ["--help", command],
    ]) {
      expect(await sluice(same)).toEqual({ code: 0, stdout, stderr: "" });
    }
  });

  test.each(["--help", "-h", "help"])("lists every command for %s", async (word) => {
    const { code, stdout } = await sluice([word]);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    expect(stdout).not.toContain("worker");
    expect(code).toBe(0);
  });

  test("does nothing else: no gateway starts, no file is read", async () => {
    const cwd = folderWith({});
    expect((await sluice(["run", "gone.yaml", "--help"], { cwd })).code).toBe(0);
  });
});

describe("wrong usage", () => {
  test.each([
    { args: [], says: "no command was given" },
    { args: ["serve"], says: 'unknown command "serve"' },
    { args: ["--config", "a.yaml"], says: 'unknown command "--config"' },
    { args: ["run", "a.yaml", "b.yaml"], says: '"b.yaml"' },
    { args: ["run", "--port", "80"], says: "--port" },
    { args: ["run", "-x"], says: "-x" },
    { args: ["validate", "a.yaml", "b.yaml"], says: '"b.yaml"' },
    { args: ["validate", "--jsn"], says: "--jsn" },
    { args: ["validate", "--json=yes"], says: "--json" },
    { args: ["schema", "gateway.yaml"], says: '"gateway.yaml"' },
    { args: ["inspect"], says: "a module file" },
    { args: ["inspect", "a.wasm", "b.wasm"], says: '"b.wasm"' },
    { args: ["httpbin", "127.0.0.1:80"], says: '"127.0.0.1:80"' },
    { args: ["httpbin", "--listen"], says: "--listen" },
    { args: ["httpbin", "--listen", "8080"], says: '"8080"' },
    { args: ["httpbin", "--listen", "127.0.0.1:99999"], says: '"127.0.0.1:99999"' },
    { args: ["version", "--long"], says: "--long" },
    { args: ["worker"], says: "started by `sluice run`" },
  ])("is answered with 2 and the reason: sluice $args", async ({ args, says }) => {
    const { code, stdout, stderr } = await sluice(args);
    expect(stderr).toStartWith("sluice: ");
    expect(stderr).toContain(says);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("sluice run errors", () => {
  test("prints the diagnostics of an invalid file and ends with 1", async () => {
    const cwd = folderWith({ "gateway.yaml": INVALID });
    const { code, stdout, stderr } = await sluice(["run"], { cwd });
    const validated = await sluice(["validate"], { cwd });
    expect(stderr).toBe(validated.stderr);
    expect(stderr).toContain("gateway.yaml:6:5: error: ");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  test("names a file that is not there", async () => {
    const { code, stderr } = await sluice(["run", "gone.yaml"], { cwd: folderWith({}) });
    expect(stderr).toContain("gone.yaml");
    expect(code).toBe(1);
  });

  test.each(FRONTS)("names the address that is in use, front %s", async (front) => {
    using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const address = `127.0.0.1:${listener.port}`;
    const yaml = VALID.replace("127.0.0.1:0", `{ address: "${address}", front: ${front} }`);
    const { code, stderr } = await sluice(["run"], { cwd: folderWith({ "gateway.yaml": yaml }) });
    expect(stderr).toMatch(/gateway\.yaml:1:\d+: error: /);
    expect(stderr).toContain(`Cannot listen on ${address}`);
    expect(stderr).toContain("[LISTEN_FAILED]");
    expect(stderr).not.toContain("listening");
    expect(code).toBe(1);
  });

  test("names an address that is not this machine's", async () => {
    const yaml = VALID.replace("127.0.0.1:0", "192.0.2.1:18080");
    const { code, stderr } = await sluice(["run"], { cwd: folderWith({ "gateway.yaml": yaml }) });
    expect(stderr).toContain("Cannot listen on 192.0.2.1:18080");
    expect(code).toBe(1);
  });
});

/** A folder of its own with these files; missing folders are made. */
function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-commands-"));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

interface Httpbin extends AsyncDisposable {
  readonly child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly port: number;
}

async function startHttpbin(address: string): Promise<Httpbin> {
  const child = Bun.spawn({
    cmd: [SLUICE, "httpbin", "--listen", address],
    stdio: ["ignore", "pipe", "inherit"],
  });
  const reader = child.stdout.getReader();
  let printed = "";
  while (!printed.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot find a port in ${JSON.stringify(printed)}`);
    printed += Buffer.from(value).toString();
  }
  return {
    child,
    port: Number(/:(\d+)\n$/.exec(printed)?.[1]),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
