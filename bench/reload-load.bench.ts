/**
 * Question: what do requests feel of reloads? 64 connections ask for 6 s while the file is changed
 * every 500 ms, against the same run without any change. No request may fail.
 *
 *   core    one worker; all of the gateway has one core: what a reload takes, requests wait for
 *   cores   two workers; the gateway has both cores, one of them beside the load generator
 *
 * Every change starts the plugin anew, with another configuration. Not measured: many routes, for
 * which gateway.bench.ts says how long a reload takes.
 */
import { join } from "node:path";
import { prepareGateway } from "./peers/contestants/sluice.ts";
import { plainTable } from "./peers/markdown.ts";
import { Place, startPrepared } from "./peers/place.ts";
import { freePort } from "../test/support/free-port.ts";
import type { PinnedServer } from "./peers/process.ts";

const CONNECTIONS = 64;
const SECONDS = 6;
const RELOAD_EVERY_MS = 500;
const PATIENCE_MS = 10_000;
const LOAD_CORE = "1";
const ROUNDS = 3;

export const cases = ["core", "cores"] as const;
type Case = (typeof cases)[number];

/** µs */
interface Tail {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly errors: number;
}

interface Run extends Tail {
  readonly reloads: number;
}

/** A gateway whose answers tell which version of its file they are from. */
class Bed implements AsyncDisposable {
  readonly #place: Place;
  readonly #workers: number;
  readonly #statusPort = freePort();
  #server: PinnedServer | undefined;
  #version = 0;

  private constructor(place: Place, workers: number) {
    this.#place = place;
    this.#workers = workers;
  }

  static async start(one: Case): Promise<Bed> {
    const bed = new Bed(await Place.create(), one === "core" ? 1 : 2);
    try {
      const prepared = prepareGateway(bed.#yaml());
      bed.#server = await startPrepared(prepared, bed.#place, one === "core" ? "0" : "0-1");
      await bed.served();
      return bed;
    } catch (error) {
      await bed[Symbol.asyncDispose]();
      throw error;
    }
  }

  get port(): number {
    return this.#place.port;
  }

  /** Writes the next version; does not wait for it. */
  async change(): Promise<void> {
    this.#version++;
    await Bun.write(join(this.#place.folder, "gateway.yaml"), this.#yaml());
  }

  /** Resolves when the latest version is served. @returns how many generations were taken over */
  async served(): Promise<number> {
    for (const late = performance.now() + PATIENCE_MS; performance.now() < late;) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/get`);
      await answer.bytes();
      if (answer.headers.get("x-version") === `v${this.#version}`) return this.#generation();
      await Bun.sleep(10);
    }
    throw new Error(`Cannot trust this benchmark: version ${this.#version} is not served`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await this.#place[Symbol.asyncDispose]();
  }

  async #generation(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#statusPort}/status`);
    return ((await answer.json()) as { generation: number }).generation;
  }

  #yaml(): string {
    return `
listen: 127.0.0.1:${this.port}
admin: { listen: 127.0.0.1:${this.#statusPort} }
workers: ${this.#workers}
upstreams: [{ id: bin, nodes: { "builtin:httpbin": 1 } }]
routes:
  - id: all
    uri: /*
    plugins: [{ add-header: { name: X-Version, value: v${this.#version}, on: response } }]
    upstream_id: bin
`;
  }
}

/** Loads while the file is changed, or without. */
async function measure(bed: Bed, changes: boolean, load: Promise<Tail>): Promise<Run> {
  const before = await bed.served();
  const changing = setInterval(() => {
    if (changes) void bed.change();
  }, RELOAD_EVERY_MS);
  const tail = await load.finally(() => clearInterval(changing));
  return { ...tail, reloads: (await bed.served()) - before };
}

async function runWrk(port: number): Promise<Tail> {
  const script = join(import.meta.dir, "peers/tail.lua");
  const wrk = ["wrk", "-t", "1", "-c", String(CONNECTIONS), "-d", `${SECONDS}s`, "-s", script];
  const child = Bun.spawn({
    cmd: ["taskset", "-c", LOAD_CORE, ...wrk, `http://127.0.0.1:${port}/get`],
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await child.stdout.text();
  const line = output.split("\n").findLast((each) => each.startsWith("{"));
  if ((await child.exited) !== 0 || line === undefined) {
    throw new Error(`Cannot load port ${port}: wrk ended with ${child.exitCode}:\n${output}`);
  }
  return JSON.parse(line) as Tail;
}

/** A few connections and no percentiles: what a check needs. */
async function ask(port: number, ms: number): Promise<Tail> {
  const tail = { requests: 0, p50: 0, p99: 0, p999: 0, max: 0, errors: 0 };
  const late = performance.now() + ms;
  const lanes = Array.from({ length: 4 }, async () => {
    while (performance.now() < late) {
      const answer = await fetch(`http://127.0.0.1:${port}/get`).catch(() => undefined);
      await answer?.bytes();
      tail.requests++;
      if (answer?.status !== 200) tail.errors++;
    }
  });
  await Promise.all(lanes);
  return tail;
}

export async function check(): Promise<void> {
  await using bed = await Bed.start("cores");
  const { requests, reloads, errors } = await measure(bed, true, ask(bed.port, 1200));
  if (requests === 0 || reloads === 0 || errors > 0) {
    const seen = `${errors} errors in ${requests} requests, ${reloads} reloads`;
    throw new Error(`Cannot trust this benchmark: ${seen}`);
  }
}

function row(one: Case, what: string, run: Run): string[] {
  const times = [run.p50, run.p99, run.p999, run.max].map((us) => (us / 1000).toFixed(2));
  const counts = [run.requests, run.reloads, run.errors].map(String);
  return [`${one}, ${what}`, ...times, ...counts];
}

if (import.meta.main) {
  const one = (Bun.argv[2] ?? cases[0]) as Case; // One case per process.
  await using bed = await Bed.start(one);
  await runWrk(bed.port); // Not shown: what runs for the first time is not optimised yet.
  const rows: string[][] = [];
  let errors = 0;
  for (let n = 0; n < ROUNDS; n++) {
    for (const changes of [false, true]) {
      const run = await measure(bed, changes, runWrk(bed.port));
      errors += run.errors;
      rows.push(row(one, changes ? "reloads" : "none", run));
    }
  }
  const head = ["ms", "p50", "p99", "p99.9", "max", "requests", "reloads", "errors"];
  process.stdout.write(`${plainTable(head, rows)}\n`);
  if (errors > 0) throw new Error(`Cannot accept ${errors} errors: reloads must not be felt`);
}
