/**
 * The container image without a container engine: its root file system is assembled in a folder by
 * the script that the Dockerfile runs too, and the gateway runs inside of it with chroot.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ASSEMBLE = join(import.meta.dir, "../image/assemble.sh");
const RUN_CHROOT = join(import.meta.dir, "../image/run-chroot.sh");
const MIB = 1024 * 1024;

let root = "";

beforeAll(async () => {
  if (process.getuid?.() !== 0) throw new Error("Cannot test the image: chroot needs root");
  root = mkdtempSync(join(tmpdir(), "sluice-image-"));
  const { exitCode, stderr } = await run([ASSEMBLE, root]);
  if (exitCode !== 0) throw new Error(`Cannot assemble the image: ${stderr}`);
});

afterAll(() => {
  if (root !== "") rmSync(root, { recursive: true, force: true });
});

describe("assemble.sh", () => {
  test("puts in the executable, what it links, and a few files", () => {
    const files = filesIn(root);
    const libraries = files.filter((path) => /^\/(?:usr\/)?lib/.test(path));
    expect(libraries.length).toBeLessThanOrEqual(8);
    expect(libraries.every((path) => path.includes(".so"))).toBe(true);
    expect(files.filter((path) => !libraries.includes(path)).toSorted()).toEqual([
      "/etc/group",
      "/etc/hosts",
      "/etc/nsswitch.conf",
      "/etc/passwd",
      "/etc/sluice/gateway.yaml",
      "/etc/sluice/plugins/add-header.wasm",
      "/etc/ssl/certs/ca-certificates.crt",
      "/sluice",
    ]);
  });

  test("stays small", () => {
    const bytes = filesIn(root).reduce((sum, path) => sum + statSync(join(root, path)).size, 0);
    expect(bytes).toBeLessThan(128 * MIB);
  });

  test("writes nothing that others than root may change", () => {
    const open = ["/", ...filesIn(root)].filter((path) => {
      const { mode, uid } = statSync(join(root, path));
      return uid !== 0 || (mode & 0o022) !== 0;
    });
    expect(open).toEqual([]);
  });
});

describe("assemble.sh errors", () => {
  test("refuses a folder that holds something", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-image-"));
    writeFileSync(join(folder, "precious"), "");
    const { exitCode, stderr } = await run([ASSEMBLE, folder]);
    expect(stderr).toContain("the folder is not empty");
    expect(exitCode).toBe(1);
    expect(readdirSync(folder)).toEqual(["precious"]);
    rmSync(folder, { recursive: true });
  });

  test("says how it is used", async () => {
    expect(await run([ASSEMBLE])).toMatchObject({ exitCode: 2 });
  });
});

describe("the image", () => {
  test("serves through a Wasm filter, without rights and on a read-only root", async () => {
    const gateway = await startInChroot();
    try {
      const response = await fetch(`http://${gateway.address}/wasm/headers`);
      expect(response.status).toBe(200);
      expect(response.headers.get("x-wasm-added")).toBe("True");
      const echo = (await response.json()) as { headers: Record<string, string> };
      expect(echo.headers["Host"]).toBe(gateway.address);

      const status = await Bun.file(`/proc/${gateway.pid}/status`).text();
      expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
      expect(status).toMatch(/^Groups:\s*(?:65532\s*)?$/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
      const mounts = await Bun.file(`/proc/${gateway.pid}/mounts`).text();
      expect(mounts).toMatch(/^\S+ \/ \S+ ro\b/m);
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
    expect(filesIn(root).filter((path) => path.startsWith("/proc/"))).toEqual([]);
  });

  test("tells its version without a configuration", async () => {
    const { exitCode, stdout } = await run([RUN_CHROOT, root, "version"]);
    expect(stdout).toStartWith("sluice ");
    expect(exitCode).toBe(0);
  });
});

interface Running {
  readonly pid: number;
  /** host:port that it listens on. */
  readonly address: string;
  /** @returns the exit code */
  stop(): Promise<number>;
}

async function startInChroot(): Promise<Running> {
  const gateway = Bun.spawn([RUN_CHROOT, root], {
    env: { ...process.env, SLUICE_LISTEN: "127.0.0.1:0" },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "pipe",
  });
  const stop = (): Promise<number> => {
    gateway.kill("SIGTERM");
    return gateway.exited;
  };
  const reader = gateway.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let log = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    log += value;
    const address = / listening .*\baddress=(\S+)/.exec(log)?.[1];
    if (address === undefined || !log.includes(" serving ")) continue;
    void drain(reader);
    return { pid: gateway.pid, address, stop };
  }
  throw new Error(`The gateway ended with code ${await gateway.exited}: ${log}`);
}

/** Reads on, so that the gateway can go on writing its log. */
async function drain(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}

async function run(
  command: string[],
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

/** Paths of all files, as seen from inside. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
}
