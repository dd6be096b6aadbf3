/** Shared data, shared queues and ticks of gateways with several workers. */
import { describe, expect, test } from "bun:test";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { type Gateway, startGateway, until } from "./support/gateway.ts";
import { startLoad } from "./support/load.ts";

const I32S = (count: number): string => "i32 ".repeat(count);

/**
 * Strings lie 64 bytes apart from 0 on. 1024 to 1035 are out-pointers, 1036 the counter, 1040 what
 * answers are made of.
 */
const PRELUDE = `
  ${[
    ["proxy_send_local_response", "reply", 8],
    ["proxy_get_shared_data", "get", 5],
    ["proxy_set_shared_data", "set", 5],
    ["proxy_register_shared_queue", "register", 3],
    ["proxy_resolve_shared_queue", "resolve", 5],
    ["proxy_enqueue_shared_queue", "enqueue", 3],
    ["proxy_dequeue_shared_queue", "dequeue", 3],
    ["proxy_set_tick_period_milliseconds", "tick", 1],
  ]
    .map(([name, local, params]) => {
      const type = `(param ${I32S(Number(params))}) (result i32)`;
      return `(import "env" "${name}" (func $${local} ${type}))`;
    })
    .join("\n")}
  (memory (export "memory") 4)
  (data (i32.const 0) "counter")
  (data (i32.const 64) "queue")
  (global $heap (mut i32) (i32.const 2048))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get $size))))
  (func $load (result i32)
    (local $status i32)
    (global.set $heap (i32.const 2048))
    (i32.store (i32.const 1032) (i32.const 0))
    (i32.store (i32.const 1036) (i32.const 0))
    (local.set $status (call $get (i32.const 0) (i32.const 7)
      (i32.const 1024) (i32.const 1028) (i32.const 1032)))
    (if (i32.eqz (local.get $status))
      (then (i32.store (i32.const 1036) (i32.load (i32.load (i32.const 1024))))))
    (local.get $status))
  ;; Adds one to the counter by compare-and-swap, as often as it takes.
  (func $raise
    (loop $again
      (drop (call $load))
      (i32.store (i32.const 1036) (i32.add (i32.const 1) (i32.load (i32.const 1036))))
      (br_if $again (call $set (i32.const 0) (i32.const 7) (i32.const 1036) (i32.const 4)
        (i32.load (i32.const 1032))))))
  ;; Answers with the counter, 7 bits in each of four bytes.
  (func $answer (result i32)
    (local $n i32)
    (local.set $n (i32.load (i32.const 1036)))
    (i32.store8 (i32.const 1040) (i32.and (local.get $n) (i32.const 127)))
    (i32.store8 (i32.const 1041)
      (i32.and (i32.shr_u (local.get $n) (i32.const 7)) (i32.const 127)))
    (i32.store8 (i32.const 1042)
      (i32.and (i32.shr_u (local.get $n) (i32.const 14)) (i32.const 127)))
    (i32.store8 (i32.const 1043)
      (i32.and (i32.shr_u (local.get $n) (i32.const 21)) (i32.const 127)))
    (drop (call $reply (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1040) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const -1)))
    (i32.const 1))`;

const onRequest = (body: string): string =>
  `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) ${body})`;

/** Raises the counter and answers with what it is then. */
const RAISES = onRequest("(call $raise) (call $answer)");
/** Answers with the counter. */
const TELLS = onRequest("(drop (call $load)) (call $answer)");
/** Puts an item into the queue and answers. */
const ADDS = onRequest(`
  (drop (call $resolve (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 1024)))
  (i32.store (i32.const 1036)
    (call $enqueue (i32.load (i32.const 1024)) (i32.const 64) (i32.const 5)))
  (call $answer)`);
/** Is told of the queue, and raises the counter for each item that it takes out. */
const TAKES = `
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (i32.eqz (call $register (i32.const 64) (i32.const 5) (i32.const 1024))))
  (func (export "proxy_on_queue_ready") (param $root i32) (param $queue i32)
    (global.set $heap (i32.const 2048))
    (if (i32.eqz (call $dequeue (local.get $queue) (i32.const 1024) (i32.const 1028)))
      (then (call $raise))))`;
const TICK_MS = 100;
const TICKS = `
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (i32.eqz (call $tick (i32.const ${TICK_MS}))))
  (func (export "proxy_on_tick") (param i32) (call $raise))`;

const MODULES = { raises: RAISES, tells: TELLS, adds: ADDS, takes: TAKES, ticks: TICKS };
type Name = keyof typeof MODULES;

const FILES = Object.fromEntries(
  Object.entries(MODULES).map(([name, body]) => [
    `plugins/${name}.wasm`,
    wat(`(module ${PRELUDE} ${body})`),
  ]),
);

/** A route for each, and one namespace for all. */
function yaml(names: readonly Name[], options: { namespace?: string; more?: string } = {}): string {
  const { namespace = "team", more = "" } = options;
  const limits = "limits: { deadline: 2s }"; // What is late here is the machine, not the guest.
  const plugins = names.map(
    (name) => `{ name: ${name}, ${limits}, allow: { shared_data: ${namespace} } ${more} }`,
  );
  const routes = names.map(
    (name) => `{ id: ${name}, uri: /${name}, upstream: { nodes: { "builtin:httpbin": 1 } },
      plugins: { ${name}: {} } }`,
  );
  return `
listen: 127.0.0.1:0
workers: 2
wasm: { plugins: [${plugins.join(", ")}] }
routes: [${routes.join(", ")}]`;
}

function counterIn(body: string): number {
  return [...Buffer.from(body)].reduceRight((sum, byte) => sum * 128 + byte, 0);
}

async function ask(gateway: Gateway, name: Name): Promise<number> {
  const response = await gateway.fetch(`/${name}`, { keepalive: false });
  if (response.status !== 200) throw new Error(`${name} answered ${response.status}`);
  return counterIn(await response.text());
}

/** Kills a worker and waits until another one serves in its place. */
async function replace(gateway: Gateway, pid: number): Promise<void> {
  const from = gateway.lines.length;
  process.kill(pid, "SIGKILL");
  await gateway.logged(/worker has been replaced/, from);
}

describe("shared data", () => {
  test("loses no count of all workers, nor when some are killed under load", async () => {
    await using gateway = await startGateway(yaml(["raises", "tells"]), { files: FILES });
    await ask(gateway, "raises"); // From here on there is a cas to compare with.
    const seen: number[] = [];
    const load = startLoad(gateway.url("/raises"), {
      connections: 16,
      isGood: (response, body) => response.status === 200 && seen.push(counterIn(body)) > 0,
    });
    await until(() => load.good > 500, Boolean);
    for (let n = 0; n < 4; n++) {
      const [oldest = 0] = gateway.workers();
      await replace(gateway, oldest);
      const good = load.good;
      await until(() => load.good > good + 200, Boolean);
    }
    await load.stop();
    expect(new Set(seen).size).toBe(seen.length); // Every raise was one of its own.
    const total = await ask(gateway, "tells");
    expect(total).toBeGreaterThanOrEqual(seen.length + 1);
    // What more there is belongs to requests that were cut off: one for each connection and kill.
    expect(total).toBeLessThanOrEqual(seen.length + 1 + 4 * 16);
    expect(gateway.lines.filter((line) => line.includes("SHARED_"))).toEqual([]);
  });

  test("is seen by every worker, and outlives all of them", async () => {
    await using gateway = await startGateway(yaml(["raises", "tells"]), { files: FILES });
    for (let n = 1; n <= 20; n++) expect(await ask(gateway, "raises")).toBe(n);
    for (const pid of gateway.workers()) await replace(gateway, pid);
    for (let n = 0; n < 10; n++) expect(await ask(gateway, "tells")).toBe(20);
  });

  test("is kept over reloads, and dropped when nobody names it any more", async () => {
    await using gateway = await startGateway(yaml(["raises"]), { files: FILES });
    await ask(gateway, "raises");
    expect(await gateway.reload(yaml(["raises", "tells"]))).toBe("reloaded");
    expect(await ask(gateway, "raises")).toBe(2);
    expect(await gateway.reload(yaml(["raises"], { namespace: "other" }))).toBe("reloaded");
    expect(await ask(gateway, "raises")).toBe(1);
    await Bun.sleep(3000); // The master looks every second for what nobody uses.
    expect(await gateway.reload(yaml(["raises"]))).toBe("reloaded");
    expect(await ask(gateway, "raises")).toBe(1);
  });
});

describe("shared queues", () => {
  test("are filled by every worker and emptied by one, or the next when it is killed", async () => {
    await using gateway = await startGateway(yaml(["adds", "takes", "tells"]), { files: FILES });
    const load = startLoad(gateway.url("/adds"), {
      connections: 16,
      isGood: (response, body) => response.status === 200 && counterIn(body) === 0,
    });
    await until(() => load.good > 300, Boolean);
    // Whichever of them it is that takes: each of the first ones is killed.
    const workers = gateway.workers();
    for (const pid of workers) {
      await replace(gateway, pid);
      const good = load.good;
      await until(() => load.good > good + 200, Boolean);
    }
    await load.stop();
    // At most one item for each kill was taken out and not counted any more.
    const least = load.good - workers.length;
    const taken = await until(
      () => ask(gateway, "tells"),
      (count) => count >= least,
    );
    // And what was added by requests that were cut off.
    expect(taken).toBeLessThanOrEqual(load.good + workers.length * 16);
  });
});

describe("tick: leader", () => {
  test("ticks on one worker at a time, and goes on when that one is killed", async () => {
    const text = yaml(["ticks", "tells"]).replace("name: ticks,", "name: ticks, tick: leader,");
    await using gateway = await startGateway(text, { files: FILES });
    await until(
      () => ask(gateway, "tells"),
      (count) => count > 0,
    );
    const startedMs = performance.now();
    const before = await ask(gateway, "tells");
    await Bun.sleep(20 * TICK_MS); // What is counted is how often it ticks meanwhile.
    const ticks = (await ask(gateway, "tells")) - before;
    const periods = (performance.now() - startedMs) / TICK_MS;
    expect(ticks).toBeGreaterThanOrEqual(3);
    expect(ticks).toBeLessThanOrEqual(1.3 * periods + 1); // Two workers would tick 2 * periods.
    for (const pid of gateway.workers()) {
      const from = gateway.lines.length;
      process.kill(pid, "SIGKILL");
      const count = await until(
        () => ask(gateway, "tells").catch(() => -1),
        (n) => n >= 0,
      );
      await until(
        () => ask(gateway, "tells").catch(() => 0),
        (now) => now > count + 3,
      );
      await gateway.logged(/worker has been replaced/, from);
    }
  });
});
