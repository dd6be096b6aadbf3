import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withFront } from "./support/default-front.ts";
import { SLUICE, sluice, startGateway, until } from "./support/gateway.ts";
import { startLoad } from "./support/load.ts";

function yaml(workers: number | "auto", more = ""): string {
  return `
listen: 127.0.0.1:0
workers: ${workers}
routes: [{ id: all, uri: /*, upstream: { nodes: { "builtin:httpbin": 1 } } }]
${more}`;
}

const isOk = (response: Response): boolean => response.status === 200;

describe("workers", () => {
  test("serve alone and by the number of cores", async () => {
    for (const [workers, count] of [
      [1, 1],
      ["auto", navigator.hardwareConcurrency],
    ] as const) {
      await using gateway = await startGateway(yaml(workers));
      expect(gateway.workers()).toHaveLength(count);
      expect((await gateway.fetch("/get")).status).toBe(200);
    }
  });

  test("are announced when the first one serves, and when all do", async () => {
    await using gateway = await startGateway(yaml(3));
    const at = (what: RegExp): number => gateway.lines.findIndex((line) => what.test(line));
    expect(at(/ listening /)).toBeGreaterThanOrEqual(0);
    expect(at(/ listening /)).toBeLessThan(at(/ serving .*workers=3/));
    expect(gateway.workers()).toHaveLength(3);
  });

  test("all serve the one port", async () => {
    await using gateway = await startGateway(yaml(2));
    // The kernel spreads connections by their hash; a hundred cannot all fall on one side.
    const [first = 0] = gateway.workers();
    process.kill(first, "SIGSTOP");
    const answers = Array.from({ length: 100 }, () =>
      gateway.fetch("/get", { signal: AbortSignal.timeout(1000), keepalive: false }).then(
        () => "answered",
        () => "waits",
      ),
    );
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["answered", "waits"]));
    process.kill(first, "SIGCONT");
  });

  test("one that dies is replaced, and takes only its own exchanges with it", async () => {
    await using gateway = await startGateway(yaml(2));
    const load = startLoad(gateway.url("/get"), { connections: 8, isGood: isOk });
    await until(() => load.good > 50, Boolean);
    const [victim = 0, other = 0] = gateway.workers();
    process.kill(victim, "SIGKILL");
    await gateway.logged(/worker has ended unexpectedly.*SIGKILL/);
    await gateway.logged(/worker has been replaced/);
    const good = load.good;
    await until(() => load.good > good + 200, Boolean);
    await load.stop();
    // At most what each connection had in flight at that moment.
    expect(load.bad.length).toBeLessThanOrEqual(8);
    const now = gateway.workers();
    expect(now).toHaveLength(2);
    expect(now).toContain(other);
    expect(now).not.toContain(victim);
  });

  test("replaced ones serve the generation that is current", async () => {
    await using gateway = await startGateway(yaml(1));
    const next = yaml(1).replace("uri: /*", "uri: /get");
    expect(await gateway.reload(next)).toBe("reloaded");
    process.kill(gateway.workers()[0] ?? 0, "SIGKILL");
    await gateway.logged(/worker has been replaced/);
    expect((await gateway.fetch("/get")).status).toBe(200);
    expect((await gateway.fetch("/headers")).status).toBe(404);
  });

  test("end when their master does", async () => {
    await using gateway = await startGateway(yaml(2));
    const workers = gateway.workers();
    gateway.child.kill("SIGKILL");
    await gateway.child.exited;
    await until(
      () => workers.filter(isRunning),
      (left) => left.length === 0,
    );
  });

  test("are not started by hand", async () => {
    const child = Bun.spawn([SLUICE, "worker"], { stdio: ["ignore", "ignore", "pipe"] });
    expect(await child.exited).toBe(2);
  });
});

describe("SIGTERM", () => {
  test("finishes what is in flight, refuses what is new, and exits 0", async () => {
    await using gateway = await startGateway(yaml(2));
    const slow = gateway.fetch("/delay/2");
    await until(() => gateway.fetch("/get").then(isOk), Boolean);
    const stopped = gateway.stop();
    await gateway.logged(/draining.*SIGTERM/);
    await until(
      () => gateway.fetch("/get", { keepalive: false }).then(isOk, () => false),
      (ok) => !ok,
    );
    const response = await slow;
    expect(response.status).toBe(200);
    await response.text();
    expect(await stopped).toBe(0);
  });

  test("waits no longer than the configured drain", async () => {
    await using gateway = await startGateway(yaml(1, "drain: 1s"));
    const endless = gateway.fetch("/delay/10").catch((error: unknown) => error);
    await until(() => gateway.fetch("/get").then(isOk), Boolean);
    const startedAt = performance.now();
    expect(await gateway.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(8000); // Far from the 10 s of the request.
    expect(await endless).toBeInstanceOf(Error);
  });

  test("ends at once when nothing is in flight, idle connections or not", async () => {
    await using gateway = await startGateway(yaml(2));
    await gateway.fetch("/get").then((response) => response.text()); // Keeps its connection.
    const startedAt = performance.now();
    expect(await gateway.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(8000); // The default drain is 30 s.
  });
});

describe("a signal in the middle of a reload", () => {
  test("ends the gateway all the same", async () => {
    for (const delayMs of [0, 2, 5, 10, 20, 40]) {
      await using gateway = await startGateway(yaml(2));
      const workers = gateway.workers();
      gateway.child.kill("SIGHUP");
      await Bun.sleep(delayMs); // Where in the reload the second signal falls is what varies.
      expect(await gateway.stop()).toBe(0);
      await until(
        () => workers.filter(isRunning),
        (left) => left.length === 0,
      );
      expect(await fetch(gateway.url("/get")).catch(() => "refused")).toBe("refused");
      expect(gateway.lines.at(-1)).toContain("stopped");
    }
  });
});

describe("a worker that dies in the middle of a reload", () => {
  test("does not refuse what all the others accept", async () => {
    await using gateway = await startGateway(yaml(2));
    const [victim = 0] = gateway.workers();
    // It cannot answer, so the reload waits for it until it is dead.
    process.kill(victim, "SIGSTOP");
    const reloaded = gateway.reload(yaml(2).replace("uri: /*", "uri: /get"));
    await until(() => gateway.workers().length > 2, Boolean); // The trial has begun.
    await until(() => gateway.workers().length === 2, Boolean);
    process.kill(victim, "SIGKILL");
    expect(await reloaded).toBe("reloaded");
    await gateway.logged(/worker has been replaced/);
    for (let n = 0; n < 10; n++) {
      expect((await gateway.fetch("/get", { keepalive: false })).status).toBe(200);
      expect((await gateway.fetch("/headers", { keepalive: false })).status).toBe(404);
    }
  });
});

describe("a second gateway", () => {
  test("does not share the ports of the first one", async () => {
    await using first = await startGateway(yaml(1));
    const folder = await mkdtemp(join(tmpdir(), "sluice-second-"));
    const taken = withFront(yaml(1).replace(":0", `:${first.port}`));
    await Bun.write(join(folder, "gateway.yaml"), taken);
    const { code, stderr } = await sluice(["run"], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${first.port}`);
    expect(stderr).toContain("LISTEN_FAILED");
    await rm(folder, { recursive: true });
  });
});

describe("the executable alone", () => {
  test("serves the shipped configuration from an empty folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-alone-"));
    try {
      const file = Bun.file(join(import.meta.dir, "../../gateway.yaml"));
      const shipped = withFront((await file.text()).replace(":9080", ":0"));
      await Bun.write(join(folder, "sluice"), Bun.file(SLUICE));
      Bun.spawnSync(["chmod", "+x", join(folder, "sluice")]);
      await Bun.write(join(folder, "gateway.yaml"), shipped);
      const child = Bun.spawn([join(folder, "sluice"), "run"], {
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let log = "";
      for await (const chunk of child.stderr) {
        log += new TextDecoder().decode(chunk);
        if (log.includes(" serving ")) break;
      }
      const address = /listening\s+address=(\S+)/.exec(log)?.[1];
      const response = await fetch(`http://${address}/wasm/headers`);
      expect(response.headers.get("x-wasm-added")).toBe("True");
      const body = (await response.json()) as { headers: Record<string, string> };
      expect(body.headers["X-Wasm-Added"]).toBe("True");
      child.kill();
      expect(await child.exited).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
