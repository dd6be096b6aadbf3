/** The master's watch over its workers: who does not answer is killed, who is only slow is not. */
import { describe, expect, test } from "bun:test";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { startGateway, until } from "./support/gateway.ts";

const TWO_WORKERS = `
listen: 127.0.0.1:0
workers: 2
routes: [{ id: all, uri: /*, upstream: { nodes: { "builtin:httpbin": 1 } } }]
`;

describe("workers", () => {
  test("one that hangs is killed by its watchdog and replaced", async () => {
    await using gateway = await startGateway(TWO_WORKERS);
    const [victim = 0] = gateway.workers();
    process.kill(victim, "SIGSTOP");
    await gateway.logged(new RegExp(`does not answer and is killed.*pid=${victim}`));
    await gateway.logged(/worker has been replaced/);
    await until(() => gateway.workers().length === 2, Boolean);
    expect(gateway.workers()).not.toContain(victim);
    for (let n = 0; n < 20; n++) expect((await gateway.fetch("/get")).status).toBe(200);
  });

  test("outlive a pause of their master that is longer than they may be silent", async () => {
    await using gateway = await startGateway(TWO_WORKERS);
    const workers = gateway.workers();
    process.kill(gateway.pid, "SIGSTOP");
    await Bun.sleep(LIMITS.heartbeatMsMax + 1000); // As long as nobody asks them.
    process.kill(gateway.pid, "SIGCONT");
    await Bun.sleep(2500); // Two heartbeats at least.
    expect(gateway.lines.join("\n")).not.toContain("does not answer");
    expect(gateway.workers()).toEqual(workers);
    // And it still looks after them.
    const [victim = 0] = workers;
    process.kill(victim, "SIGSTOP");
    await gateway.logged(new RegExp(`does not answer and is killed.*pid=${victim}`));
  });

  test("show that they live while slow plugins start, all of them together", async () => {
    const uses = Array.from({ length: 4 }, (_, n) => `{ slow: "${n}" }`);
    const slow = `
listen: 127.0.0.1:0
workers: 1
wasm: { plugins: [{ name: slow, limits: { start: 4s } }] }
routes:
  - id: all
    uri: /*
    plugins: [${uses.join(", ")}]
    upstream: { nodes: { "builtin:httpbin": 1 } }
`;
    const files = { "plugins/slow.wasm": slowToConfigure(LIMITS.heartbeatMsMax / 3) };
    await using gateway = await startGateway(slow, { files });
    expect((await gateway.fetch("/get")).status).toBe(200);
    expect(gateway.lines.join("\n")).not.toContain("does not answer");
  });
});

/** Looks at the clock, and counts in between: a host function may not be called all the time. */
function slowToConfigure(ms: number): Uint8Array {
  return wat(`(module
    (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
    (func $now (result i64) (drop (call $time (i32.const 0))) (i64.load (i32.const 0)))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (local $end i64) (local $n i32)
      (local.set $end (i64.add (call $now) (i64.const ${Math.round(ms * 1e6)})))
      (loop $again
        (local.set $n (i32.const 1000000))
        (loop $count
          (br_if $count (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (br_if $again (i64.lt_s (call $now) (local.get $end))))
      (i32.const 1)))`);
}
