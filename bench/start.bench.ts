/**
 * Questions: how long does a start take, and how much memory do all processes have?
 *
 *   start    ms from spawning to the first connection that is accepted, and to the first answer
 *   memory   PSS and RSS of all processes, idle and under load
 *
 * The gateway runs the shipped gateway.yaml with two workers, and 50 plugins of different modules.
 * nginx and Envoy, where they are installed, forward to another server instead of answering, Envoy
 * through one Wasm filter. Not measured: a cold page cache, TLS.
 */
import { join } from "node:path";
import { encodeName, encodeSection, joinBytes } from "../src/wasm/binary/writer.ts";
import { rssBytes } from "../test/e2e/support/processes.ts";
import { ROOT } from "./peers/contestant.ts";
import { prepareNamed } from "./peers/contestants.ts";
import { prepareGateway, prepareShipped, SHIPPED_PATH } from "./peers/contestants/sluice.ts";
import { runLoad } from "./peers/load.ts";
import { plainTable } from "./peers/markdown.ts";
import { Place, type Prepared, startPrepared } from "./peers/place.ts";
import { spreadOf } from "./peers/spread.ts";
import { type Started, startTimed } from "./peers/start-time.ts";

const RUNS = 15;
const IDLE_MS = 10_000;
/** One worker serves before the others are started. */
const ALL_SERVE_MS = 2000;
const LOAD_S = 3;
const CORES = "0-1";
const LOAD_CORE = "1";
const MIB = 1024 * 1024;

/** What is started, and a path that it answers. */
interface Subject {
  readonly name: string;
  readonly path: string;
  /** @returns undefined when it is not installed */
  prepare(place: Place): Promise<Prepared | undefined> | Prepared | undefined;
}

const shipped: Subject = {
  name: "sluice, shipped gateway.yaml",
  path: SHIPPED_PATH,
  prepare: prepareShipped,
};

/** All of one route: each request goes through them. */
const plugins = (count: number): Subject => ({
  name: `sluice, plugins in a row: ${count}`,
  path: "/get",
  async prepare(place) {
    const kinds = await Promise.all(
      MODULES.map(async ({ file, config }) => {
        return { bytes: await Bun.file(join(ROOT, file)).bytes(), config };
      }),
    );
    const files: Record<string, Uint8Array> = {};
    const uses: string[] = [];
    for (let n = 0; n < count; n++) {
      const { bytes, config } = kinds[n % kinds.length] ?? { bytes: new Uint8Array(), config: "" };
      files[`plugins/p${n}.wasm`] = named(bytes, `p${n}`);
      uses.push(`{ p${n}: ${config} }`);
    }
    const yaml = `
listen: 127.0.0.1:${place.port}
workers: 2
upstreams: [{ id: bin, nodes: { "builtin:httpbin": 1 } }]
routes: [{ id: all, uri: /*, upstream_id: bin, plugins: [${uses.join(", ")}] }]
`;
    return prepareGateway(yaml, files);
  },
});

const MODULES = [
  { file: "plugins/add-header.wasm", config: "{ name: X-A, value: b }" },
  { file: "test/guests/rust/add-header.wasm", config: '"x-tenant: blue"' },
  { file: "test/guests/c/add-header.wasm", config: '"x-tenant: blue"' },
] as const;

/** The same module as another one: it ends with a section of that name. */
function named(bytes: Uint8Array, name: string): Uint8Array {
  return joinBytes([bytes, encodeSection(0, encodeName(name))]);
}

const peer = (name: string, upstream: number, filters: readonly "rust"[]): Subject => ({
  name: filters.length === 0 ? name : `${name}, 1 Wasm filter`,
  path: "/",
  prepare: (place) => prepareNamed(name, { workers: 2, filters }, place, upstream),
});

type Start = Omit<Started, "server">;

/** @returns undefined when it is not installed */
async function starts(subject: Subject, runs: number): Promise<Start[] | undefined> {
  await using place = await Place.create();
  const prepared = await subject.prepare(place);
  if (prepared === undefined) return undefined;
  await place.write(prepared);
  const found: Start[] = [];
  for (let n = 0; n < runs; n++) {
    const { server, ...times } = await startTimed(prepared, place, subject.path, CORES);
    await server[Symbol.asyncDispose]();
    found.push(times);
  }
  return found;
}

/** bytes of all processes together */
interface Memory {
  readonly processes: number;
  readonly pss: number;
  readonly rss: number;
}

/** @returns idle and under load; undefined when it is not installed */
async function memory(
  subject: Subject,
  idleMs: number,
  loadS: number,
): Promise<{ idle: Memory; loaded: Memory | undefined } | undefined> {
  await using place = await Place.create();
  const prepared = await subject.prepare(place);
  if (prepared === undefined) return undefined;
  await using server = await startPrepared(prepared, place, CORES);
  const look = (): Memory => {
    const { pids } = server;
    return { processes: pids.length, pss: server.pssBytes(), rss: rssBytes(pids) };
  };
  await Bun.sleep(idleMs);
  const idle = look();
  if (loadS === 0) return { idle, loaded: undefined };
  const load = runLoad(server.port, { connections: 64, path: subject.path }, loadS, LOAD_CORE);
  await Bun.sleep((loadS * 1000 * 2) / 3);
  const loaded = look();
  await load;
  return { idle, loaded };
}

function startRow(name: string, found: readonly Start[] | undefined): string[] {
  if (found === undefined) return [name, "not installed", ""];
  return [
    name,
    spread(found.map((each) => each.listeningMs)),
    spread(found.map((each) => each.answeredMs)),
  ];
}

/** Median, lowest and highest, in ms. */
function spread(times: readonly number[]): string {
  const { median, min, max } = spreadOf(times);
  return `${median.toFixed(1)} (${min.toFixed(1)} to ${max.toFixed(1)})`;
}

function memoryRow(name: string, found: Awaited<ReturnType<typeof memory>>): string[] {
  if (found === undefined) return [name, "not installed", "", "", "", ""];
  const { idle, loaded } = found;
  const sizes = [idle.pss, idle.rss, loaded?.pss ?? 0, loaded?.rss ?? 0];
  const cells = sizes.map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`);
  return [name, String(idle.processes), ...cells];
}

export const cases = ["start", "memory"];

export async function check(): Promise<void> {
  const [start] = (await starts(shipped, 1)) ?? [];
  if (start === undefined || start.answeredMs < start.listeningMs || start.listeningMs <= 0) {
    throw new Error(`Cannot trust this benchmark: ${JSON.stringify(start)}`);
  }
  const found = await memory(plugins(3), ALL_SERVE_MS, 0);
  // Master and workers are there, and no page is counted more often than it is mapped.
  if (found?.idle.processes !== 3 || found.idle.pss >= found.idle.rss) {
    throw new Error(`Cannot trust this benchmark: ${JSON.stringify(found)}`);
  }
}

if (import.meta.main) {
  using upstream = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("up") });
  const { port = 0 } = upstream;
  const subjects = [
    shipped,
    plugins(1),
    plugins(50),
    peer("nginx", port, []),
    peer("Envoy", port, ["rust"]),
  ];
  const rows: string[][] = [];
  if (Bun.argv[2] === "memory") {
    for (const subject of subjects) {
      rows.push(memoryRow(subject.name, await memory(subject, IDLE_MS, LOAD_S)));
    }
    const head = ["what", "processes", "PSS idle", "RSS idle", "PSS under load", "RSS under load"];
    process.stdout.write(`${plainTable(head, rows)}\n`);
  } else {
    for (const subject of subjects) {
      rows.push(startRow(subject.name, await starts(subject, RUNS)));
    }
    process.stdout.write(`${plainTable(["ms", "to listening", "to the first answer"], rows)}\n`);
  }
}
