import { join } from "node:path";
import { checkAnswer } from "./answer.ts";
import type { Case } from "./cases.ts";
import { conditions } from "./conditions.ts";
import { versionOf } from "./contestant.ts";
import { CONTESTANTS, isInstalled, prepareIn } from "./contestants.ts";
import { pickCores } from "./cores.ts";
import { type Load, type Loaded, runLoad } from "./load.ts";
import { Place, startPrepared } from "./place.ts";
import type { PinnedServer } from "./process.ts";
import { startUpstream } from "./upstream.ts";

/** One round of one contestant. */
export interface Round extends Loaded {
  /** µs of processor time per request. */
  readonly user: number;
  readonly system: number;
}

export interface Result {
  readonly contestant: string;
  readonly version: string;
  /** Of the case's own setup, or of what that is compared with. */
  readonly of: "case" | "base";
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
  /** Machine and load generator. */
  readonly conditions: string;
}

export interface Effort {
  readonly rounds: number;
  /** Of each round, a whole number. */
  readonly seconds: number;
  /** Of load before the first round; left out: what each contestant needs. */
  readonly warmUpSeconds?: number | undefined;
}

interface Running {
  readonly server: PinnedServer;
  readonly warmUpSeconds: number;
  readonly result: Omit<Result, "pssBytes"> & { readonly rounds: Round[] };
}

/** Runs a case on every contestant that suits it and is installed, round by round in turns. */
export async function compare(one: Case, effort: Effort): Promise<Compared> {
  const cores = pickCores();
  const suits = CONTESTANTS.filter((each) => each.suits(one.setup));
  const missing = suits.filter((each) => !isInstalled(each)).map((each) => each.name);
  await using servers = new AsyncDisposableStack();
  const { folder } = servers.use(await Place.create());
  const upstream = servers.use(await startUpstream(join(folder, "upstream"), cores.load));
  const running: Running[] = [];
  for (const contestant of suits.filter(isInstalled)) {
    const version = await versionOf(contestant.version);
    for (const of of ["base", "case"] as const) {
      const setup = of === "case" ? one.setup : one.base;
      if (setup === undefined) continue;
      const place = servers.use(await Place.create());
      const prepared = prepareIn(contestant, setup, place, upstream.port);
      const own = setup.workers === 1 ? cores.gateway : cores.both;
      const server = servers.use(await startPrepared(prepared, place, own));
      await checkAnswer(contestant.name, setup, one.load, server.port);
      const { name, warmUpSeconds } = contestant;
      const result = { contestant: name, version, of, rounds: [] };
      running.push({ server, warmUpSeconds, result });
    }
  }
  await runRounds(running, one.load, effort, cores.load);
  const results = running.map(({ server, result }) => {
    return { ...result, pssBytes: server.pssBytes() };
  });
  return { name: one.name, results, missing, conditions: await conditions(one.load) };
}

/** Of load before the later rounds: caches that others have filled meanwhile. */
const AGAIN_SECONDS = 1;

async function runRounds(
  running: readonly Running[],
  load: Load,
  effort: Effort,
  core: string,
): Promise<void> {
  for (let n = 0; n < effort.rounds; n++) {
    for (const { server, warmUpSeconds, result } of running) {
      const first = effort.warmUpSeconds ?? warmUpSeconds;
      const seconds = n === 0 ? first : Math.min(first, AGAIN_SECONDS);
      if (seconds > 0) await runLoad(server.port, load, seconds, core);
      result.rounds.push(await runRound(server, load, effort.seconds, core));
    }
  }
}

async function runRound(
  server: PinnedServer,
  load: Load,
  seconds: number,
  core: string,
): Promise<Round> {
  const before = server.cpu();
  const loaded = await runLoad(server.port, load, seconds, core);
  const after = server.cpu();
  const perRequest = (micros: number): number => micros / loaded.requests;
  return {
    ...loaded,
    user: perRequest(after.user - before.user),
    system: perRequest(after.system - before.system),
  };
}
