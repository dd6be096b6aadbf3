/**
 * Questions: what do honest requests feel of a plugin that loops to its deadline of 20 ms in one of
 * a hundred requests of another route, and what do a hundred thousand traps leave in memory?
 *
 *   latency   p50, p99 and slowest of honest requests at a fixed rate, with and without loops
 *   memory    resident bytes of a worker after so many exchanges, all of them traps or none
 *
 * The rate is open-loop: a request is sent when its time has come, whatever the ones before do, and
 * its latency counts from that time. Not measured: more than two workers, other machines' load.
 */
import { type Gateway, startGateway } from "../test/e2e/support/gateway.ts";
import { rssBytes } from "../test/e2e/support/processes.ts";
import { assemble } from "../test/hostile/assemble.ts";
import { StrictClient } from "../test/hostile/client.ts";
import { attack } from "../test/hostile/guest.ts";

const RATE_PER_S = 500;
const LATENCY_MS = 20_000;
const HOSTILE_RATE_PER_S = 500;
const LOOP_EVERY = 100;
const EXCHANGES = [1000, 100_000] as const;
/** ms; a worker collects after 3 s of idleness, and the allocator returns pages some time later. */
const IDLE_MS = 10_000;
const CONNECTIONS = 16;
const WITHIN_MS = 10_000;
const MIB = 1024 * 1024;

const YAML = `
listen: 127.0.0.1:0
workers: 2
wasm:
  plugins:
    - { name: looping, breaker: { failures: 0 } }
    - { name: trapping, breaker: { failures: 0 } }
    - name: trapping-fresh
      file: plugins/trapping.wasm
      instances: per_request
      breaker: { failures: 0 }
upstreams: [{ id: bin, nodes: { "builtin:httpbin": 1 } }]
routes:
  - id: honest
    host: honest.test
    uri: /*
    plugins: [{ add-header: { name: X-A, value: b } }]
    upstream_id: bin
  - { id: looping, host: looping.test, uri: /*, plugins: [looping], upstream_id: bin }
  - { id: trapping, host: trapping.test, uri: /*, plugins: [trapping], upstream_id: bin }
  - { id: fresh, host: trapping-fresh.test, uri: /*, plugins: [trapping-fresh], upstream_id: bin }
`;

function start(): Promise<Gateway> {
  return startGateway(YAML, {
    files: {
      "plugins/looping.wasm": assemble(attack("request_headers", "(loop $l (br $l))")),
      "plugins/trapping.wasm": assemble(attack("request_headers", "unreachable")),
    },
  });
}

const request = (host: string, attacks = false): string =>
  `GET /bytes/100?seed=1 HTTP/1.1\r\nHost: ${host}.test\r\n${attacks ? "X-Attack: 1\r\n" : ""}\r\n`;

/** Connections that are free, and new ones when there is none. */
class Clients {
  readonly #port: number;
  readonly #free: StrictClient[] = [];
  readonly #all: StrictClient[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** @throws Error when the answer has none of these statuses */
  async ask(text: string, statuses: readonly number[]): Promise<void> {
    const client = this.#free.pop() ?? this.#open();
    const outcome = await client.ask(text, WITHIN_MS);
    this.#free.push(client);
    if (outcome.kind === "answer" && statuses.includes(outcome.answer.status)) return;
    throw new Error(`Cannot trust this benchmark: ${JSON.stringify(outcome).slice(0, 300)}`);
  }

  close(): void {
    for (const client of this.#all) client.close();
  }

  #open(): StrictClient {
    const client = new StrictClient(this.#port);
    this.#all.push(client);
    return client;
  }
}

/**
 * Sends at that rate for that long. @param requestOf the request with that number, and what may
 * come back
 * @returns latencies in ms from the time at which each was due, sorted
 */
async function sendAtRate(
  port: number,
  ratePerS: number,
  durationMs: number,
  requestOf: (n: number) => { text: string; statuses: readonly number[] },
): Promise<number[]> {
  const clients = new Clients(port);
  const startedMs = performance.now();
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const failures: unknown[] = [];
  const count = Math.round((ratePerS * durationMs) / 1000);
  for (let n = 0; n < count; n++) {
    const dueMs = startedMs + (n * 1000) / ratePerS;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await Bun.sleep(waitMs);
    const { text, statuses } = requestOf(n);
    // A timer may be early, by less than its resolution.
    const fromMs = Math.min(dueMs, performance.now());
    pending.push(
      clients.ask(text, statuses).then(
        () => void latencies.push(performance.now() - fromMs),
        (error: unknown) => void failures.push(error),
      ),
    );
  }
  await Promise.all(pending);
  clients.close();
  if (failures.length > 0) throw failures[0];
  return latencies.toSorted((a, b) => a - b);
}

interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** @param loops whether one in LOOP_EVERY requests of the other route loops */
async function latency(durationMs: number, loops: boolean): Promise<Latency> {
  await using gateway = await start();
  const honest = sendAtRate(gateway.port, RATE_PER_S, durationMs, () => ({
    text: request("honest"),
    statuses: [200],
  }));
  const hostile = sendAtRate(gateway.port, HOSTILE_RATE_PER_S, durationMs, (n) => {
    const attacks = loops && n % LOOP_EVERY === LOOP_EVERY - 1;
    // The others on that route share the guest that loops, and fall with it.
    return { text: request("looping", attacks), statuses: attacks ? [503] : [200, 503] };
  });
  const [sorted] = await Promise.all([honest, hostile]);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), slowestMs: sorted.at(-1) ?? 0 };
}

/**
 * @returns resident bytes of the larger worker after each of these numbers of exchanges, when it
 *   has been idle for `idleMs`: a busy heap is as large as the collector lets it grow
 */
async function memory(
  host: string,
  attacks: boolean,
  counts: readonly number[],
  idleMs: number,
): Promise<number[]> {
  await using gateway = await start();
  const clients = new Clients(gateway.port);
  const found: number[] = [];
  let done = 0;
  for (const count of counts) {
    const lanes = Array.from({ length: CONNECTIONS }, async () => {
      while (done < count) {
        done++;
        await clients.ask(request(host, attacks), [attacks ? 503 : 200]);
      }
    });
    await Promise.all(lanes);
    await Bun.sleep(idleMs);
    found.push(Math.max(...gateway.workers().map((pid) => rssBytes([pid]))));
  }
  clients.close();
  return found;
}

export const cases = ["latency", "memory"];

export async function check(size = 200): Promise<void> {
  const { p50Ms } = await latency(size, true);
  if (p50Ms <= 0) throw new Error("Cannot trust this benchmark: requests take no time");
  for (const host of ["trapping", "trapping-fresh"]) {
    const [few = 0, many = 0] = await memory(host, true, [size, 5 * size], 0);
    if (few === 0 || many > few + 64 * MIB) {
      throw new Error(`Cannot trust this benchmark: ${few} bytes became ${many}`);
    }
  }
}

if (import.meta.main) {
  const rows: string[] = [];
  if (Bun.argv[2] === "memory") {
    rows.push("| exchanges | after 1,000 | after 100,000 | more |", "| --- | --- | --- | --- |");
    for (const host of ["trapping", "trapping-fresh"]) {
      for (const attacks of [false, true]) {
        const [few = 0, many = 0] = await memory(host, attacks, EXCHANGES, IDLE_MS);
        const cells = [few, many, many - few].map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`);
        rows.push(`| ${host}, ${attacks ? "traps" : "unprovoked"} | ${cells.join(" | ")} |`);
      }
    }
  } else {
    rows.push("| honest requests | p50 | p99 | slowest |", "| --- | --- | --- | --- |");
    for (const loops of [false, true]) {
      const { p50Ms, p99Ms, slowestMs } = await latency(LATENCY_MS, loops);
      const cells = [p50Ms, p99Ms, slowestMs].map((ms) => `${ms.toFixed(1)} ms`);
      rows.push(`| ${loops ? "beside loops" : "alone"} | ${cells.join(" | ")} |`);
    }
  }
  process.stdout.write(`${rows.join("\n")}\n`);
}
