/**
 * What a guest must not do to others: to its own next exchange with `instances: per_request`, to
 * exchanges that are under way beside it, to what filters before it have changed, and to a client
 * that has half an answer. And what ends it when it does not stop: breaker and pool.
 */
import { describe, expect, test } from "bun:test";
import { type Gateway, startGateway, until } from "../e2e/support/gateway.ts";
import { RawConnection } from "../e2e/support/raw-client.ts";
import { ScriptedNode } from "../e2e/support/scripted-node.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { assemble, pairs, quoted } from "./assemble.ts";
import { type Outcome, StrictClient } from "./client.ts";
import { attack, callback, reply } from "./guest.ts";
import { type Echo, StrictNode } from "./strict-node.ts";

const PATIENCE_MS = 5_000;

/** One worker, so that guests, breakers and pools are where the next request comes. */
function yaml(options: { plugins: string; uses: string; node: string; more?: string }): string {
  return `
listen: 127.0.0.1:0
workers: 1
wasm:
  plugins:
${options.plugins}
upstreams: [{ id: node, nodes: { "${options.node}": 1 } }]
routes:
  - { id: attacked, host: attacked.test, uri: /*, plugins: [${options.uses}], upstream_id: node }
  - { id: plain, host: plain.test, uri: /*, upstream_id: node }
${options.more ?? ""}`;
}

function text(host: string, lines: readonly string[] = [], body?: string): string {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
  const head = [`Host: ${host}.test`, ...lines, ...length].join("\r\n");
  return `${body === undefined ? "GET" : "POST"} /x HTTP/1.1\r\n${head}\r\n\r\n${body ?? ""}`;
}

const ATTACK = text("attacked", ["X-Attack: 1"]);
const QUIET = text("attacked");
const PLAIN = text("plain");

/** "200", "503 FILTER_FAILED", "cut", … */
function verdict(outcome: Outcome): string {
  if (outcome.kind !== "answer") return outcome.kind;
  const { status, body } = outcome.answer;
  const code = /^{"error":"(\w+)"/.exec(body)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}

async function ask(gateway: Gateway, request: string, withinMs = PATIENCE_MS): Promise<Outcome> {
  const client = new StrictClient(gateway.port);
  const outcome = await client.ask(request, withinMs);
  client.close();
  return outcome;
}

async function verdicts(gateway: Gateway, requests: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const request of requests) found.push(verdict(await ask(gateway, request)));
  return found;
}

function echoOf(outcome: Outcome): Echo {
  if (outcome.kind !== "answer") throw new Error(`Cannot read an answer: ${outcome.kind}`);
  return JSON.parse(outcome.answer.body) as Echo;
}

describe("instances", () => {
  const SECRET = "SECRET42";
  /** Keeps a client's secret wherever it can; in other exchanges it looks everywhere for one. */
  const spy = assemble(`
    (data (i32.const 32) "x-secret")
    (global $kept (mut i64) (i64.const 0))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (local $at i32) (local $end i32) (local $value i64) (local $word i64)
      (if (i32.eqz (call $proxy_get_header_map_value #0 #32 #8 #64 #68))
        (then
          (local.set $value (i64.load (i32.load #64)))
          (global.set $kept (local.get $value))
          (local.set $at (i32.mul (memory.grow #1) #65536))
          (if (i32.ne (local.get $at) #-65536)
            (then (i64.store (i32.add (local.get $at) #777) (local.get $value))))
          (return #0)))
      (drop (memory.grow #1))
      (local.set $word (global.get $kept))
      (local.set $end (i32.sub (i32.mul (memory.size) #65536) #8))
      (loop $next
        (local.set $word (i64.or
          (select (i64.const 1) (i64.const 0)
            (i64.eq (i64.load (local.get $at)) (i64.const 0x3234544552434553)))
          (local.get $word)))
        (local.set $at (i32.add (local.get $at) #1))
        (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
      (if (i64.ne (local.get $word) (i64.const 0)) (then ${reply(418)}))
      #0)`);

  test.each([
    { instances: "shared", found: true },
    { instances: "per_request", found: false },
  ])("$instances: the next exchange finds a secret: $found", async ({ instances, found }) => {
    await using node = new StrictNode();
    const limits = "limits: { memory: 1MiB, deadline: 500ms }";
    const plugins = `    - { name: spy, instances: ${instances}, ${limits} }`;
    await using gateway = await startGateway(yaml({ plugins, uses: "spy", node: node.address }), {
      files: { "plugins/spy.wasm": spy },
    });
    const leaks: number[] = [];
    const clients = Array.from({ length: 4 }, async () => {
      const client = new StrictClient(gateway.port);
      for (let n = 0; n < 100; n++) {
        const secret = text("attacked", [`X-Secret: ${SECRET}`]);
        expect(verdict(await client.ask(secret, PATIENCE_MS))).toBe("200");
        const next = verdict(await client.ask(QUIET, PATIENCE_MS));
        if (next === "418") leaks.push(n);
        else expect(next).toBe("200");
      }
      client.close();
    });
    await Promise.all(clients);
    expect(leaks.length > 0).toBe(found);
  });
});

describe("a trap beside exchanges that are under way", () => {
  const PARTS = ["one ", "two ", "three ", "four"];
  const boom = assemble(
    attack("request_headers", "unreachable") +
      callback("request_body", "") +
      callback("response_body", ""),
  );
  const other = assemble(callback("request_body", "") + callback("response_body", ""));
  const WITHIN = [
    { name: "of no plugin", host: "plain" },
    { name: "of another plugin", host: "other" },
    { name: "of the same plugin with an instance of its own", host: "attacked" },
  ];

  test.each(WITHIN)("leaves slow answers $name whole", async ({ host }) => {
    using node = new ScriptedNode(() => {});
    await using gateway = await start(node.address);
    const slow = await Promise.all(
      Array.from({ length: 5 }, async (_, n) => {
        const raw = await RawConnection.open(gateway.port);
        await raw.write(`GET /slow${n} HTTP/1.1\r\nHost: ${host}.test\r\n\r\n`);
        return { raw, call: await node.call(`/slow${n}`) };
      }),
    );
    for (const { call } of slow) {
      await call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    for (const part of PARTS) {
      for (const { call } of slow) {
        await call.write(`${part.length.toString(16)}\r\n${part}\r\n`);
      }
      for (const { raw } of slow) await raw.until(new RegExp(part.trim()));
      const traps = await verdicts(gateway, Array(10).fill(ATTACK));
      expect(new Set(traps)).toEqual(new Set(["503 FILTER_FAILED"]));
    }
    for (const { raw, call } of slow) {
      await call.write("0\r\n\r\n");
      const [response] = await raw.responses(1);
      expect(response?.body).toBe(PARTS.join(""));
      raw.close();
    }
  });

  test.each(WITHIN)("leaves slow requests $name whole", async ({ host }) => {
    using node = new ScriptedNode(() => {});
    await using gateway = await start(node.address);
    const body = PARTS.join("");
    using raw = await RawConnection.open(gateway.port);
    const length = `Content-Length: ${body.length}`;
    await raw.write(`POST /slow HTTP/1.1\r\nHost: ${host}.test\r\n${length}\r\n\r\n`);
    for (const part of PARTS) {
      await raw.write(part);
      const traps = await verdicts(gateway, Array(10).fill(ATTACK));
      expect(new Set(traps)).toEqual(new Set(["503 FILTER_FAILED"]));
    }
    const call = await node.call("/slow");
    await until(
      () => call.body.toString("latin1"),
      (got) => got === body,
    );
    await call.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    const [response] = await raw.responses(1);
    expect(response).toMatchObject({ status: 200, body: "ok" });
  });

  function start(address: string): Promise<Gateway> {
    const plugins = `
    - { name: boom, instances: per_request, breaker: { failures: 0 } }
    - { name: other }`;
    const more = `
  - { id: other, host: other.test, uri: /*, plugins: [other], upstream_id: node }`;
    return startGateway(yaml({ plugins, uses: "boom", node: address, more }), {
      files: { "plugins/boom.wasm": boom, "plugins/other.wasm": other },
    });
  }
});

/** Adds a request header of that name before whatever else it does. */
function adding(name: string, more: string): Uint8Array {
  return assemble(`(data (i32.const 512) ${quoted(name)})
    (func $add (drop (call $proxy_add_header_map_value #0 #512 #${name.length} #512 #1))) ${more}`);
}

function tag(name: string): Uint8Array {
  return adding(name, callback("request_headers", "(call $add)"));
}

/** Which of our guests have left a header. */
function taggedBy(echo: Echo): string[] {
  return echo.lines.map(([name]) => name).filter((name) => /^x-(?:first|boom|last)$/.test(name));
}

describe("fail: open", () => {
  const FILES = {
    "plugins/first.wasm": tag("x-first"),
    "plugins/last.wasm": tag("x-last"),
  };
  const start = (address: string, boom: Uint8Array, instances: string): Promise<Gateway> =>
    startGateway(
      yaml({
        plugins: `
    - { name: boom, fail: open, instances: ${instances}, breaker: { failures: 0 } }`,
        uses: "first, boom, last",
        node: address,
      }),
      { files: { ...FILES, "plugins/boom.wasm": boom } },
    );
  test.each(["shared", "per_request"])(
    "%s: a trap on headers skips the filter, and keeps what was changed",
    async (instances) => {
      await using node = new StrictNode();
      const boom = adding("x-boom", attack("request_headers", "(call $add) unreachable"));
      await using gateway = await start(node.address, boom, instances);
      for (let n = 0; n < 20; n++) {
        const echo = echoOf(await ask(gateway, text("attacked", ["X-Attack: 1"], "body")));
        expect(taggedBy(echo)).toEqual(["x-first", "x-boom", "x-last"]);
        expect(echo.body).toBe("body");
      }
      expect(node.problems).toEqual([]);
    },
  );

  test.each(["shared", "per_request"])(
    "%s: a trap in the middle of a body lets go what is held, as it was spliced",
    async (instances) => {
      await using node = new StrictNode();
      const boom = assemble(`(data (i32.const 512) "EVIL")
        (global $calls (mut i32) (i32.const 0))
        (func (export "proxy_on_context_create") (param i32 i32) (global.set $calls #0))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (global.set $calls (i32.add (global.get $calls) #1))
          (if (i32.eq (global.get $calls) #1) (then
            (drop (call $proxy_set_buffer_bytes #0 #0 #3 #512 #4))
            (drop (call $proxy_log #4 #512 #4))
            (return #1)))
          unreachable)`);
      await using gateway = await start(node.address, boom, instances);
      for (let n = 0; n < 5; n++) {
        const from = gateway.lines.length;
        using raw = await RawConnection.open(gateway.port);
        await raw.write(text("attacked", [], "x".repeat(40)).slice(0, -30));
        await gateway.logged(/EVIL/, from);
        await raw.write("y".repeat(30));
        const [response] = await raw.responses(1);
        const { body } = JSON.parse(response?.body ?? "{}") as Echo;
        expect(body).toBe(`EVIL${"x".repeat(7)}${"y".repeat(30)}`);
      }
      expect(node.problems).toEqual([]);
    },
  );
});

describe("fail: closed", () => {
  /** Fails at the first piece of a body that has the byte "!" in it. */
  const boom = assemble(`
    (func (export "malloc") (param i32) (result i32) #32768)
    (func $look (param $type i32) (local $at i32)
      (drop (call $proxy_get_buffer_bytes (local.get $type) #0 #1000 #64 #68))
      (local.set $at #0)
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $at) (i32.load #68)))
        (if (i32.eq (i32.load8_u (i32.add (i32.load #64) (local.get $at))) #33)
          (then unreachable))
        (local.set $at (i32.add (local.get $at) #1))
        (br $next))))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (call $look #0) #0)
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (call $look #1) #0)`);

  test.each(["shared", "per_request"])(
    "%s: resets the stream when half of the answer has gone",
    async (instances) => {
      using node = new ScriptedNode(() => {});
      await using gateway = await start(node.address, instances);
      using raw = await RawConnection.open(gateway.port);
      await raw.write("GET /half HTTP/1.1\r\nHost: attacked.test\r\n\r\n");
      const call = await node.call("/half");
      await call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
      await raw.until(/half/);
      await call.write("5\r\nnow !\r\n0\r\n\r\n");
      expect(await raw.closed()).toBe(true);
      expect(raw.received).not.toContain("now");
      expect(raw.received.endsWith("0\r\n\r\n")).toBe(false);
    },
  );

  test.each(["shared", "per_request"])(
    "%s: answers 503 and gives the node up when half of the request has gone",
    async (instances) => {
      using node = new ScriptedNode(() => {});
      await using gateway = await start(node.address, instances);
      using raw = await RawConnection.open(gateway.port);
      await raw.write(
        "POST /half HTTP/1.1\r\nHost: attacked.test\r\nContent-Length: 9\r\n\r\nhalf",
      );
      const call = await node.call("/half");
      await until(
        () => call.body.toString("latin1"),
        (got) => got === "half",
      );
      await raw.write("now !");
      await raw.until(/FILTER_FAILED/);
      expect(raw.received).toStartWith("HTTP/1.1 503 ");
      expect(call.complete).toBe(false);
    },
  );

  function start(address: string, instances: string): Promise<Gateway> {
    const plugins = `    - { name: boom, instances: ${instances} }`;
    return startGateway(yaml({ plugins, uses: "boom", node: address }), {
      files: { "plugins/boom.wasm": boom },
    });
  }
});

describe("events that never end", () => {
  /** ms; longer than a worker may be silent before it is killed. */
  const LONG_MS = 7_000;
  const WORK = `(local.set $i #2000000)
    (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) #1))))`;
  const twice = "(drop (call $proxy_enqueue_shared_queue (local.get $queue) #0 #64))".repeat(2);
  const feeding = assemble(
    callback("configure", "(drop (call $proxy_register_shared_queue #256 #1 #128))") +
      callback(
        "queue_ready",
        `(drop (call $proxy_dequeue_shared_queue (local.get $queue) #64 #68)) ${twice} ${WORK}`,
      ) +
      attack("request_headers", "(drop (call $proxy_enqueue_shared_queue (i32.load #128) #0 #1))"),
  );
  const ticking = assemble(
    callback("configure", "(drop (call $proxy_set_tick_period_milliseconds #1))") +
      callback("tick", WORK) +
      callback("request_headers", ""),
  );

  test(
    "of queues and ticks leave the worker time for others",
    async () => {
      await using node = new StrictNode();
      const plugins = `
    - { name: feeding, breaker: { failures: 0 } }
    - { name: ticking, breaker: { failures: 0 } }`;
      await using gateway = await startGateway(
        yaml({ plugins, uses: "feeding, ticking", node: node.address }),
        { files: { "plugins/feeding.wasm": feeding, "plugins/ticking.wasm": ticking } },
      );
      const workers = gateway.workers();
      expect(await verdicts(gateway, [ATTACK])).toEqual(["200"]);
      const client = new StrictClient(gateway.port);
      const startedMs = performance.now();
      while (performance.now() - startedMs < LONG_MS) {
        expect(verdict(await client.ask(text("plain"), PATIENCE_MS))).toBe("200");
      }
      client.close();
      expect(gateway.workers()).toEqual(workers);
    },
    LONG_MS + 10_000,
  );
});

describe("answers that never end", () => {
  const LONG_MS = 7_000;
  const COUNT = 200;
  const WORK = `(local.set $i #4000000)
    (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) #1))))`;
  const times = (body: string): string => `(local.set $j #${COUNT})
    (loop $l ${body} (br_if $l (local.tee $j (i32.sub (local.get $j) #1))))`;
  const HEAD = pairs([
    [":method", "GET"],
    [":path", "/called"],
    [":authority", "called.test"],
  ]);
  const CALL = `(drop
    (call $proxy_http_call #512 #4 #1024 #${HEAD.byteLength} #0 #0 #0 #0 #9000 #128))`;
  const calling = assemble(
    `(data (i32.const 512) "node") (data (i32.const 1024) ${quoted(HEAD)})` +
      attack("request_headers", times(CALL)) +
      callback("http_call_response", `${WORK} ${CALL}`),
  );
  const streaming = assemble(
    `(data (i32.const 512) "grpc") (data (i32.const 520) "test.Echo") (data (i32.const 532) "Many")
    (data (i32.const 540) "1000")` +
      attack(
        "request_headers",
        times(`(drop (call $proxy_grpc_stream #512 #4 #520 #9 #532 #4 #0 #0 #128))
        (drop (call $proxy_grpc_send (i32.load #128) #540 #4 #1))`),
      ) +
      callback("grpc_receive", WORK),
  );

  test.each([
    { name: "call-outs", guest: calling },
    { name: "streams of gRPC", guest: streaming },
  ])(
    "of $name leave the worker time for others",
    async ({ guest }) => {
      await using node = new StrictNode();
      await using grpc = await startGrpcServer({ streamsMax: COUNT });
      const allow = "allow: { http_call: [node, grpc] }, limits: { deadline: 500ms }";
      const plugins = `    - { name: busy, breaker: { failures: 0 }, ${allow} }`;
      const more = `upstreams: [{ id: node, nodes: { "${node.address}": 1 } },
  { id: grpc, nodes: { "${grpc.address}": 1 } }]`;
      const config = yaml({ plugins, uses: "busy", node: node.address });
      await using gateway = await startGateway(config.replace(/^upstreams: .*$/m, more), {
        files: { "plugins/busy.wasm": guest },
      });
      const workers = gateway.workers();
      expect(await verdicts(gateway, [ATTACK])).toEqual(["200"]);
      const client = new StrictClient(gateway.port);
      const startedMs = performance.now();
      let answered = 0;
      while (performance.now() - startedMs < LONG_MS) {
        expect(verdict(await client.ask(PLAIN, PATIENCE_MS))).toBe("200");
        answered++;
      }
      client.close();
      expect(answered).toBeGreaterThan(100); // Thousands; without turns it was one in a second.
      expect(gateway.workers()).toEqual(workers);
    },
    LONG_MS + 20_000,
  );
});

describe("a seed", () => {
  test.each([
    { name: "traps", body: "unreachable", failed: "503 FILTER_FAILED" },
    { name: "loops", body: "(loop $l (br $l))", failed: "503 FILTER_DEADLINE" },
  ])("that $name fails its own exchanges, and no others", async ({ body, failed }) => {
    await using node = new StrictNode();
    const seeded = "instances: per_request, seed: draw, breaker: { failures: 0 }";
    const plugins = `    - { name: boom, ${seeded} }`;
    await using gateway = await startGateway(yaml({ plugins, uses: "boom", node: node.address }), {
      files: {
        "plugins/boom.wasm": assemble(
          `(func (export "draw") ${body}) ${callback("request_headers", "")}`,
        ),
      },
    });
    const requests = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? QUIET : text("plain")));
    const expected = requests.map((request) => (request === QUIET ? failed : "200"));
    expect(await verdicts(gateway, requests)).toEqual(expected);
  });
});

describe("breaker", () => {
  const OPEN_MS = 500;

  test.each(["shared", "per_request"])(
    "%s: opens after failures, tries one exchange, and closes when that goes well",
    async (instances) => {
      await using node = new StrictNode();
      const breaker = `breaker: { failures: 3, window: 10s, open: ${OPEN_MS}ms }`;
      const plugins = `    - { name: boom, instances: ${instances}, ${breaker} }`;
      await using gateway = await startGateway(
        yaml({ plugins, uses: "boom", node: node.address }),
        { files: { "plugins/boom.wasm": assemble(attack("request_headers", "unreachable")) } },
      );
      const failed = "503 FILTER_FAILED";
      const open = "503 FILTER_UNAVAILABLE";
      expect(await verdicts(gateway, [QUIET, ATTACK, ATTACK, ATTACK])).toEqual([
        "200",
        failed,
        failed,
        failed,
      ]);
      // Nobody is let in now, whatever it wants.
      expect(await verdicts(gateway, [ATTACK, QUIET, QUIET])).toEqual([open, open, open]);
      await gateway.logged(/plugin=boom.*open|open.*boom/);
      expect(await verdicts(gateway, [text("plain")])).toEqual(["200"]);
      // Half-open: a failure opens it again, at once.
      await Bun.sleep(OPEN_MS + 100); // What counts is that so much time has passed.
      expect(await verdicts(gateway, [ATTACK, QUIET])).toEqual([failed, open]);
      await Bun.sleep(OPEN_MS + 100); // Once more.
      expect(await verdicts(gateway, Array(10).fill(QUIET))).toEqual(Array(10).fill("200"));
      await gateway.logged(/plugin=boom.*close|close.*boom/);
      // Closed: it takes three failures again.
      expect(await verdicts(gateway, [ATTACK, ATTACK, QUIET])).toEqual([failed, failed, "200"]);
    },
  );

  test("fail: open skips the filter while the breaker is open", async () => {
    await using node = new StrictNode();
    const breaker = "fail: open, breaker: { failures: 2, window: 10s, open: 10s }";
    const plugins = `    - { name: boom, ${breaker} }`;
    await using gateway = await startGateway(yaml({ plugins, uses: "boom", node: node.address }), {
      files: { "plugins/boom.wasm": assemble(attack("request_headers", "unreachable")) },
    });
    expect(await verdicts(gateway, Array(10).fill(ATTACK))).toEqual(Array(10).fill("200"));
  });
});

describe("pool", () => {
  const WAIT_MS = 500;
  const pausing = assemble(attack("request_headers", "", 1));
  const overloaded = "503 FILTER_OVERLOADED";

  test("of one sandbox: one waits in the queue, the next is turned away", async () => {
    await using node = new StrictNode();
    await using gateway = await start(node.address);
    const holder = new StrictClient(gateway.port);
    const held = holder.ask(ATTACK, PATIENCE_MS);
    await until(
      async () => {
        const [waiting, turnedAway] = await Promise.all([ask(gateway, QUIET), ask(gateway, QUIET)]);
        return [verdict(waiting), verdict(turnedAway)];
      },
      (both) => both.join() === `${overloaded},${overloaded}`,
    );
    const startedMs = performance.now();
    const waiting = ask(gateway, QUIET);
    const turnedAway = ask(gateway, QUIET);
    // One of both has the place in the queue; the other one does not wait.
    expect(verdict(await Promise.race([waiting, turnedAway]))).toBe(overloaded);
    expect(performance.now() - startedMs).toBeLessThan(WAIT_MS);
    holder.close();
    const both = [verdict(await waiting), verdict(await turnedAway)].toSorted();
    expect(both).toEqual(["200", overloaded]);
    await held;
    expect(await verdicts(gateway, Array(10).fill(QUIET))).toEqual(Array(10).fill("200"));
  });

  test("of one sandbox: whoever has waited for too long is turned away", async () => {
    await using node = new StrictNode();
    await using gateway = await start(node.address);
    const holder = new StrictClient(gateway.port);
    const held = holder.ask(ATTACK, PATIENCE_MS);
    await until(
      async () => verdict(await ask(gateway, QUIET)),
      (one) => one === overloaded,
    );
    expect(await verdicts(gateway, [QUIET, text("plain"), QUIET])).toEqual([
      overloaded,
      "200",
      overloaded,
    ]);
    holder.close();
    await held;
    expect(await verdicts(gateway, Array(10).fill(QUIET))).toEqual(Array(10).fill("200"));
  });

  function start(address: string): Promise<Gateway> {
    const pool = `pool: { size: 1, warm: 1, queue: 1, wait: ${WAIT_MS}ms }`;
    const plugins = `    - { name: pausing, instances: per_request, ${pool} }`;
    return startGateway(yaml({ plugins, uses: "pausing", node: address }), {
      files: { "plugins/pausing.wasm": pausing },
    });
  }
});
