import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONTESTANTS, type Contestant, type Setup } from "./contestants.ts";
import { type Load, type Loaded, runLoad } from "./load.ts";
import { freePort, PinnedServer } from "./process.ts";
import { startUpstream } from "./upstream.ts";

export interface Case {
  readonly name: string;
  readonly setup: Omit<Setup, "upstream">;
  readonly load: Load;
}

/** One round of one contestant. */
export interface Round extends Loaded {
  /** µs of processor time per request. */
  readonly user: number;
  readonly system: number;
}

export interface Result {
  readonly contestant: string;
  /** In the order in which they were run: round n of all contestants lie close together. */
  readonly rounds: readonly Round[];
  /** bytes, of all its processes, after the last round. */
  readonly pssBytes: number;
}

export interface Compared {
  readonly name: string;
  readonly results: readonly Result[];
  /** Contestants that suit, and are not installed. */
  readonly missing: readonly string[];
}

export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
}

/** The gateway has core 0 (two workers: both); upstream and load generator share core 1. */
const GATEWAY_CORE = "0";
const LOAD_CORE = "1";

/** Runs a case on every contestant that suits it and is installed, round by round in turns. */
export async function compare(one: Case, effort: Effort): Promise<Compared> {
  const suits = CONTESTANTS.filter((each) => each.suits({ ...one.setup, upstream: 0 }));
  const found = suits.filter(isInstalled);
  const missing = suits.filter((each) => !found.includes(each)).map((each) => each.name);
  const folder = await mkdtemp(join(tmpdir(), "peers-"));
  await using servers = new AsyncDisposableStack();
  servers.defer(() => rm(folder, { recursive: true, force: true }));
  const upstream = servers.use(await startUpstream(join(folder, "upstream"), LOAD_CORE));
  const setup = { ...one.setup, upstream: upstream.port };
  const running: { contestant: Contestant; server: PinnedServer; rounds: Round[] }[] = [];
  for (const [n, contestant] of found.entries()) {
    const server = servers.use(await start(contestant, setup, join(folder, String(n))));
    await checkAnswer(contestant, setup, server.port);
    running.push({ contestant, server, rounds: [] });
  }
  for (const { server } of running) await runLoad(server.port, one.load, effort.seconds, LOAD_CORE);
  for (let n = 0; n < effort.rounds; n++) {
    for (const { server, rounds } of running) rounds.push(await runRound(server, one.load, effort));
  }
  const results = running.map(({ contestant, server, rounds }) => {
    return { contestant: contestant.name, rounds, pssBytes: server.pssBytes() };
  });
  return { name: one.name, results, missing };
}

function isInstalled({ executable }: Contestant): boolean {
  return Bun.which(executable) !== null || Bun.file(executable).size > 0;
}

async function start(contestant: Contestant, setup: Setup, folder: string): Promise<PinnedServer> {
  const port = freePort();
  await mkdir(folder);
  const { files, command } = contestant.prepare(setup, { folder, port });
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text);
  const cores = setup.workers === 1 ? GATEWAY_CORE : "0-1";
  return PinnedServer.start(command, cores, port);
}

/** It forwards, and its filters work. */
async function checkAnswer({ name }: Contestant, setup: Setup, port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const body = await response.text();
  const hasFilter = response.headers.has("x-guest");
  if (!response.ok || body.length !== 55 || hasFilter !== setup.filters.length > 0) {
    throw new Error(`Cannot trust ${name}: it answered ${response.status} ${body.slice(0, 80)}`);
  }
}

async function runRound(server: PinnedServer, load: Load, effort: Effort): Promise<Round> {
  const before = server.cpu();
  const loaded = await runLoad(server.port, load, effort.seconds, LOAD_CORE);
  const after = server.cpu();
  const perRequest = (micros: number): number => micros / loaded.requests;
  return {
    ...loaded,
    user: perRequest(after.user - before.user),
    system: perRequest(after.system - before.system),
  };
}
