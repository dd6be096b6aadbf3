import { describe, expect, test } from "bun:test";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { freePort } from "../support/free-port.ts";
import { withFront } from "./support/default-front.ts";
import { Gateway, startGateway, until } from "./support/gateway.ts";
import { sendRaw } from "./support/raw-client.ts";

interface Plugin {
  name: string;
  running: number;
  breaker: string;
  breaker_openings: number;
  failures: Record<string, number>;
  sandboxes?: { busy: number; idle: number; waiting: number };
  breakers: Record<string, string>;
}

interface Status {
  state: string;
  generation: number;
  reloads: { taken_over: number; refused: number };
  worker_restarts: number;
  workers: { pid: number; generation: number; in_flight: number; plugins: Plugin[] }[];
  plugins: Plugin[];
}

/** Of one route that runs the plugins. */
function yaml(plugins: string, more = ""): string {
  return `
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
workers: 1
routes:
  - id: all
    uri: /*
    plugins: ${plugins}
    upstream: { nodes: { "builtin:httpbin": 1 } }
${more}`;
}

/** Guests that have a memory, an allocator that is never used, and this. */
function guest(body: string, imports = ""): Uint8Array {
  return wat(`(module ${imports}
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_context_create") (param i32 i32))
    ${body})`);
}

const traps = (): Uint8Array =>
  guest(`(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)`);

/** Counts requests in the counter "my.hits", and their headers in the histogram "headers". */
const counts = (): Uint8Array =>
  guest(
    `(data (i32.const 0) "my.hitsheaders")
    (global $hits (mut i32) (i32.const 0))
    (global $headers (mut i32) (i32.const 0))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
      (drop (call $define (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 64)))
      (global.set $hits (i32.load (i32.const 64)))
      (drop (call $define (i32.const 2) (i32.const 7) (i32.const 7) (i32.const 64)))
      (global.set $headers (i32.load (i32.const 64)))
      (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32) (param $n i32) (param i32) (result i32)
      (drop (call $increment (global.get $hits) (i64.const 1)))
      (drop (call $record (global.get $headers) (i64.extend_i32_u (local.get $n))))
      (i32.const 0))`,
    `(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
    (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32)))`,
  );

/** Writes to 200 MiB of memory that it has not had before its first request. */
const grows = (): Uint8Array =>
  guest(
    `(global $has (mut i32) (i32.const 0))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (if (i32.eqz (global.get $has)) (then
        (global.set $has (i32.const 1))
        (drop (memory.grow (i32.const 3200)))
        (memory.fill (i32.const 65536) (i32.const 1) (i32.const 209715200))))
      (i32.const 0))`,
  );

/** Needs some hundred ms to start. */
const slow = (): Uint8Array =>
  guest(
    `(func (export "proxy_on_vm_start") (param i32 i32) (result i32)
      (local $n i32)
      (loop $again
        (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
          (i32.const 100000000))))
      (i32.const 1))`,
  );

/** What the port answers, now or as soon as it is open. */
class StatusPort {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  /** That of a gateway that has just opened it. */
  static async of(gateway: Gateway): Promise<StatusPort> {
    return new StatusPort(portOf(await gateway.logged(/status port is open/)));
  }

  fetch(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`);
  }

  async status(): Promise<Status> {
    return (await (await this.fetch("/status")).json()) as Status;
  }

  async metrics(): Promise<Map<string, number>> {
    const text = await (await this.fetch("/metrics")).text();
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  }

  /** The status code of /ready; "closed" when nobody listens. */
  async ready(): Promise<number | "closed"> {
    return fetch(`http://127.0.0.1:${this.port}/ready`, { keepalive: false }).then(
      ({ status }) => status,
      () => "closed",
    );
  }
}

function portOf(line: string): number {
  return Number(/:(\d+)$/.exec(line)?.[1]);
}

function plugin(status: Status, name: string): Plugin | undefined {
  return status.plugins.find((each) => each.name === name);
}

describe("the status port", () => {
  test("is not open without the word", async () => {
    await using gateway = await startGateway(yaml("[]").replace(/^admin.*$/m, ""));
    expect(gateway.lines.join("\n")).not.toContain("status port");
  });

  test("shows a plugin that traps, and its breaker when it opens", async () => {
    const more = `
wasm: { plugins: [{ name: boom, breaker: { failures: 3, window: 1m, open: 1m } }] }`;
    await using gateway = await startGateway(yaml("[boom]", more), {
      files: { "plugins/boom.wasm": traps() },
    });
    const admin = await StatusPort.of(gateway);
    expect((await gateway.fetch("/get")).status).toBe(503);
    await until(
      () => admin.status(),
      (status) => plugin(status, "boom")?.failures["trap"] === 1,
    );
    expect((await admin.metrics()).get('sluice_plugin_breaker_state{plugin="boom"}')).toBe(0);

    for (let n = 0; n < 5; n++) expect((await gateway.fetch("/get")).status).toBe(503);
    const status = await until(
      () => admin.status(),
      (each) => plugin(each, "boom")?.breaker === "open",
    );
    const [pid = 0] = gateway.workers();
    expect(plugin(status, "boom")).toMatchObject({
      running: 1,
      failures: { trap: 3 },
      breaker_openings: 1,
      breakers: { [pid]: "open" },
    });
    expect(status.workers).toMatchObject([{ pid, generation: 1, plugins: [{ name: "boom" }] }]);
    const metrics = await admin.metrics();
    expect(metrics.get('sluice_plugin_failures_total{plugin="boom",kind="trap"}')).toBe(3);
    expect(metrics.get('sluice_plugin_breaker_state{plugin="boom"}')).toBe(2);
    expect(metrics.get('sluice_plugin_breaker_openings_total{plugin="boom"}')).toBe(1);
  });

  test("adds up what plugins count, over workers and over their deaths", async () => {
    const two = (plugins: string) => yaml(plugins).replace("workers: 1", "workers: 2");
    await using gateway = await startGateway(two("[counts]"), {
      files: { "plugins/counts.wasm": counts() },
    });
    const admin = await StatusPort.of(gateway);
    const total = 'sluice_wasm_my_hits_total{plugin="counts"}';
    const ask = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) await gateway.fetch("/get", { keepalive: false });
    };
    const counted = (wanted: number) =>
      until(
        () => admin.metrics(),
        (metrics) => metrics.get(total) === wanted,
      );
    await ask(40);
    const metrics = await counted(40);
    expect(metrics.get('sluice_wasm_headers_count{plugin="counts"}')).toBe(40);
    expect(metrics.get('sluice_wasm_headers_sum{plugin="counts"}')).toBeGreaterThan(40);

    process.kill(gateway.workers()[0] ?? 0, "SIGKILL");
    await gateway.logged(/worker has been replaced/);
    expect((await admin.metrics()).get(total)).toBe(40);
    await ask(10);
    expect((await counted(50)).get("sluice_worker_restarts_total")).toBe(1);
    // A change of its configuration starts it anew, and that must not count anew.
    expect(await gateway.reload(two("[counts: { a: 1 }]"))).toBe("reloaded");
    await ask(5);
    await counted(55);
    // Nor must the end of a worker that is wanted no more.
    expect(await gateway.reload(yaml("[counts: { a: 1 }]"))).toBe("reloaded");
    await until(
      () => admin.status(),
      (status) => status.workers.length === 1,
    );
    await counted(55);
    expect(plugin(await admin.status(), "counts")?.running).toBe(1);
  });

  test("shows the sandboxes of a pool", async () => {
    const more = `
wasm: { plugins: [{ name: pooled, instances: per_request, pool: { warm: 3, size: 4 } }] }`;
    await using gateway = await startGateway(yaml("[pooled]", more), {
      files: { "plugins/pooled.wasm": counts() },
    });
    const admin = await StatusPort.of(gateway);
    const status = await until(
      () => admin.status(),
      (each) => plugin(each, "pooled") !== undefined,
    );
    expect(plugin(status, "pooled")?.sandboxes).toEqual({ busy: 0, idle: 3, waiting: 0 });
    const metrics = await admin.metrics();
    expect(metrics.get('sluice_plugin_sandboxes{plugin="pooled",state="idle"}')).toBe(3);
  });

  test("counts how often a worker has collected its garbage, grown or idle", async () => {
    const more = `
wasm: { plugins: [{ name: grows, limits: { memory: 256MiB, recycle: 256MiB, deadline: 2s } }] }`;
    await using gateway = await startGateway(yaml("[grows]", more), {
      files: { "plugins/grows.wasm": grows() },
    });
    const admin = await StatusPort.of(gateway);
    const counted = async (reason: string): Promise<number | undefined> =>
      (await admin.metrics()).get(`sluice_worker_collections_total{reason="${reason}"}`);
    // With its first report a worker has looked at its memory a few times.
    await until(
      () => admin.status(),
      (status) => plugin(status, "grows") !== undefined,
    );
    expect([await counted("growth"), await counted("idle")]).toEqual([0, 0]);
    expect((await gateway.fetch("/get")).status).toBe(200);
    await until(
      () => counted("growth"),
      (count) => count === 1,
    );
    expect(await counted("idle")).toBe(0);
    for (let n = 0; n < 1000; n += 50) {
      await Promise.all(Array.from({ length: 50 }, () => gateway.fetch("/status/204")));
    }
    await until(
      () => counted("idle"),
      (count) => count === 1,
    );
  });

  test("counts reloads, and exchanges in flight", async () => {
    await using gateway = await startGateway(yaml("[]"));
    const admin = await StatusPort.of(gateway);
    expect(await gateway.reload(yaml("[nothing-like-it]"))).toBe("refused");
    expect(await gateway.reload(yaml("[]", "drain: 1s"))).toBe("reloaded");
    const waiting = gateway.fetch("/delay/3");
    const status = await until(
      () => admin.status(),
      (each) => each.workers[0]?.in_flight === 1,
    );
    expect(status).toMatchObject({ generation: 2, reloads: { taken_over: 1, refused: 1 } });
    const metrics = await admin.metrics();
    expect(metrics.get('sluice_reloads_total{outcome="taken_over"}')).toBe(1);
    expect(metrics.get('sluice_reloads_total{outcome="refused"}')).toBe(1);
    expect(metrics.get("sluice_generation")).toBe(2);
    expect(metrics.get("sluice_exchanges_in_flight")).toBe(1);
    await waiting;
  });

  test("answers /status and /metrics to loopback names alone", async () => {
    await using gateway = await startGateway(yaml("[]"));
    const { port } = await StatusPort.of(gateway);
    const ask = (host: string) =>
      sendRaw(port, `GET /status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect((await ask(`localhost:${port}`)).text).toStartWith("HTTP/1.1 200 ");
    const refused = await ask("rebound.example");
    expect(refused.text).toStartWith("HTTP/1.1 403 ");
    expect(refused.text).not.toContain("generation");
  });
});

describe("/ready", () => {
  test("is 503 during the start, and 200 when the gateway serves", async () => {
    const admin = new StatusPort(freePort());
    const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
    const more = "wasm: { plugins: [{ name: slow, limits: { start: 4s } }] }";
    const config = yaml("[slow]", more).replace("127.0.0.1:0 }", `127.0.0.1:${admin.port} }`);
    await Bun.write(join(folder, "gateway.yaml"), withFront(config));
    await Bun.write(join(folder, "plugins/slow.wasm"), slow());
    await using gateway = new Gateway(folder, {});
    const first = await until(
      () => admin.ready(),
      (answer) => answer !== "closed",
    );
    expect(first).toBe(503);
    expect(gateway.lines.join("\n")).not.toContain(" serving ");
    await gateway.logged(/ serving /);
    expect(await admin.ready()).toBe(200);
  });

  test("is 503 while a worker is missing, and stays 200 over a reload", async () => {
    await using gateway = await startGateway(yaml("[]"));
    const admin = await StatusPort.of(gateway);
    const answers: (number | "closed")[] = [];
    const over = new AbortController();
    const watch = (async () => {
      while (!over.signal.aborted) answers.push(await admin.ready());
    })();
    for (const drain of ["1s", "2s", "3s"]) await gateway.reload(yaml("[]", `drain: ${drain}`));
    await until(() => answers.length > 10, Boolean);
    over.abort();
    await watch;
    expect(new Set(answers)).toEqual(new Set([200]));

    process.kill(gateway.workers()[0] ?? 0, "SIGKILL");
    await until(
      () => admin.ready(),
      (answer) => answer === 503,
    );
    await until(
      () => admin.ready(),
      (answer) => answer === 200,
    );
  });

  test("is 503 while the gateway drains, until it has ended", async () => {
    await using gateway = await startGateway(yaml("[]"));
    const admin = await StatusPort.of(gateway);
    const waiting = gateway.fetch("/delay/2");
    await until(
      () => admin.status(),
      (status) => status.workers[0]?.in_flight === 1,
    );
    const stopped = gateway.stop();
    await gateway.logged(/draining/);
    expect(await admin.ready()).toBe(503);
    expect((await admin.status()).state).toBe("draining");
    expect((await waiting).status).toBe(200);
    expect(await stopped).toBe(0);
    expect(await admin.ready()).toBe("closed");
  });
});

describe("a reload", () => {
  test("adds the port, moves it, and takes it away", async () => {
    const without = yaml("[]").replace(/^admin.*$/m, "");
    await using gateway = await startGateway(without);
    const at = (port: number): string => yaml("[]").replace("127.0.0.1:0 }", `127.0.0.1:${port} }`);
    const [a, b] = [new StatusPort(freePort()), new StatusPort(freePort())];
    expect(await gateway.reload(at(a.port))).toBe("reloaded");
    expect([await a.ready(), await b.ready()]).toEqual([200, "closed"]);
    expect(await gateway.reload(at(b.port))).toBe("reloaded");
    expect([await a.ready(), await b.ready()]).toEqual(["closed", 200]);
    expect(await gateway.reload(without)).toBe("reloaded");
    expect([await a.ready(), await b.ready()]).toEqual(["closed", "closed"]);
  });

  test("is refused when the port is taken, and everything stays as it was", async () => {
    await using gateway = await startGateway(yaml("[]"));
    const admin = await StatusPort.of(gateway);
    const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const next = yaml("[]").replace("127.0.0.1:0 }", `127.0.0.1:${listener.port} }`);
    expect(await gateway.reload(next)).toBe("refused");
    expect(gateway.lines.join("\n")).toContain(`Cannot open the status port on 127.0.0.1:`);
    expect(await admin.ready()).toBe(200);
    expect((await admin.status()).reloads).toEqual({ taken_over: 0, refused: 1 });
    listener.stop(true);
  });
});
