import { cpus } from "node:os";
import { LIMITS } from "../base/limits.ts";
import { log } from "../base/log.ts";
import type { Config, PluginUse } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { WorkerView } from "./gateway-status.ts";
import type { Places } from "../shm/place.ts";
import { messageOf } from "../base/errors.ts";
import { Leadership } from "./leadership.ts";
import type { Plan, SentPlan } from "./messages.ts";
import { endedPlugin, type PluginSum, PluginSums } from "./plugin-sums.ts";
import { createLentFile, StoreLender } from "./store-lender.ts";
import {
  type Prepared,
  type WorkerCommand,
  WorkerProcess,
  type WorkerTies,
} from "./worker-process.ts";

/** ms between two heartbeats. */
const HEARTBEAT_MS = 1000;
/** ms before the next start of a worker that has just died; doubles up to the maximum. */
const RESTART_MS_MIN = 50;
const RESTART_MS_MAX = 5000;
/** ms after which a worker counts as healthy, and its next death as the first. */
const HEALTHY_MS = 10_000;

/**
 * The data plane as the master sees it: so many worker processes, all on the same generation.
 * One that dies is replaced by one that starts with that generation; the others go on.
 */
export class Workers {
  readonly #command: WorkerCommand;
  readonly #alive = new Set<WorkerProcess>();
  /** Those that are wanted no more and finish what they have. */
  readonly #leaving = new Set<WorkerProcess>();
  /** Those that have been started ahead, until it is known how many are wanted. */
  #ahead: WorkerProcess[] = [];
  /** Counts of those that have ended, as of their last heartbeat. */
  readonly #ended = new PluginSums();
  readonly #lender = new StoreLender(createLentFile());
  readonly #leadership = new Leadership<WorkerProcess>();
  #plan: SentPlan | undefined;
  #config: Config | undefined;
  #places: Places = {};
  #count = 0;
  #restarts = 0;
  #stopping = false;
  #restartMs = RESTART_MS_MIN;
  #restartTimer: Timer | undefined;
  #heartbeat: Timer | undefined;
  /** The process that is building a generation to see whether it can be built. */
  #trial: WorkerProcess | undefined;
  /** Replacements and reloads change who runs what: one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(command: WorkerCommand) {
    this.#command = command;
  }

  /**
   * Starts processes for a configuration that has not been read yet, one for each core. They wait
   * for apply(), which ends those that are too many.
   */
  startAhead(): void {
    const count = Math.min(cpus().length, LIMITS.workersAheadMax);
    this.#ahead = Array.from({ length: count }, () => this.#start());
  }

  get processes(): readonly WorkerProcess[] {
    return [...this.#alive];
  }

  /** How many have been started in place of one that had ended. */
  get restarts(): number {
    return this.#restarts;
  }

  get views(): readonly WorkerView[] {
    return this.#all().map((worker) => {
      const { pid, status } = worker;
      return { pid, status, isLeaving: this.#leaving.has(worker) };
    });
  }

  /** Over all workers, those that have ended included. */
  get plugins(): readonly PluginSum[] {
    const sums = new PluginSums();
    // First, because what comes later stays when there are too many names.
    for (const plugin of this.#ended.all) sums.add(plugin);
    for (const { status } of this.views) for (const plugin of status.plugins) sums.add(plugin);
    return sums.all;
  }

  /**
   * Brings every worker to the plan's generation, or none.
   * @returns why not, empty when it is done; "stopping" when stop() has come meanwhile
   */
  apply(plan: Plan): Promise<readonly Diagnostic[] | "stopping"> {
    return this.#inTurn(() => this.#apply(plan));
  }

  /** Lets every worker finish what is in flight. Resolves when all have ended. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#restartTimer);
    this.#trial?.kill();
    this.#endAhead();
    const all = this.#all();
    for (const worker of this.#alive) worker.drain(drainMs);
    // Their own clocks end them; a worker that cannot even do that is killed.
    const late = setTimeout(() => all.forEach((worker) => worker.kill()), drainMs + 1000);
    await Promise.all(all.map((worker) => worker.exited));
    clearTimeout(late);
    // A reload or a replacement that was under way gives up when it looks; nothing outlives it.
    await this.#turn;
    for (const worker of this.#all()) worker.kill();
  }

  async #apply(plan: Plan): Promise<readonly Diagnostic[] | "stopping"> {
    const first = this.#plan === undefined;
    if (!first) {
      const refused = await tryOut(this.#command, plan, (trial) => (this.#trial = trial));
      this.#trial = undefined;
      if (this.#stopping) return "stopping";
      if (refused.length > 0) return refused;
    }
    // From the first start on: a module that loops must not hold up the start for long either.
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS);
    let places: Places;
    try {
      places = this.#lender.name(plan.config);
    } catch (error) {
      this.#keepStores();
      return [generationFailed(plan.config.file, messageOf(error))];
    }
    const before = this.processes;
    const added = this.#add(plan.config.workers - before.length);
    this.#endAhead();
    const all = [...before, ...added];
    const sent = toSend(plan);
    const outcomes = first
      ? await prepareAtOnce(all, sent, places)
      : await prepareInTurn(all, sent, places);
    const refused = verdictOn(outcomes, added, plan.config.file);
    if (this.#stopping || refused.length > 0) {
      for (const worker of before) worker.abort(plan.number);
      for (const worker of added) this.#remove(worker);
      this.#keepStores();
      return this.#stopping ? "stopping" : refused;
    }
    // One that has died meanwhile answers for itself, not for the plan: it is replaced on it.
    const ready = all.filter((worker) => outcomes.get(worker)?.ok === true);
    await Promise.all(ready.map((worker) => worker.commit(sent)));
    this.#plan = sent;
    this.#config = plan.config;
    this.#places = places;
    this.#count = plan.config.workers;
    this.#keepStores();
    for (const worker of ready.slice(this.#count)) this.#retire(worker, plan.config.drainMs);
    for (const worker of added) this.#watch(worker);
    this.#leadership.elect(ready.slice(0, this.#count));
    this.#refill();
    return [];
  }

  /** Those of the configuration that serves. */
  #keepStores(): void {
    if (this.#config !== undefined) this.#lender.keepOnly(this.#config);
  }

  #add(count: number): WorkerProcess[] {
    const added = Array.from(
      { length: Math.max(0, count) },
      () => this.#ahead.shift() ?? this.#start(),
    );
    for (const worker of added) {
      this.#alive.add(worker);
      void worker.exited.then(() => this.#tellGone(worker));
    }
    return added;
  }

  #start(): WorkerProcess {
    return new WorkerProcess(this.#command, this.#ties());
  }

  #endAhead(): void {
    for (const worker of this.#ahead) worker.kill();
    this.#ahead = [];
  }

  #ties(): WorkerTies {
    const { file } = this.#lender;
    const wake = (serial: number, queueId: number): void => {
      for (const worker of this.#all()) if (worker.serial === serial) worker.wake(queueId);
    };
    return { file, serial: this.#lender.takeSerial(), wake };
  }

  /** Somebody else is the leader now, and is told of the items in its queues. */
  #tellGone(gone: WorkerProcess): void {
    this.#leadership.leave(gone);
    for (const worker of this.#all()) if (worker !== gone) worker.tellGone();
  }

  #all(): WorkerProcess[] {
    return [...this.#alive, ...this.#leaving];
  }

  #remove(worker: WorkerProcess): void {
    this.#alive.delete(worker);
    this.#keepCounts(worker);
    worker.kill();
  }

  /** Fewer workers are wanted: this one serves what it has and ends. */
  #retire(worker: WorkerProcess, drainMs: number): void {
    this.#alive.delete(worker);
    this.#leaving.add(worker);
    this.#leadership.leave(worker);
    void worker.exited.then(() => {
      this.#leaving.delete(worker);
      this.#keepCounts(worker);
    });
    worker.drain(drainMs);
  }

  #watch(worker: WorkerProcess): void {
    const startedAt = performance.now();
    void worker.exited.then(() => {
      if (!this.#alive.delete(worker) || this.#stopping) return;
      this.#keepCounts(worker);
      if (performance.now() - startedAt > HEALTHY_MS) this.#restartMs = RESTART_MS_MIN;
      log.error("worker has ended unexpectedly", {
        pid: worker.pid,
        exit: worker.exit,
        in_flight: worker.status.inFlight,
      });
      this.#refill();
    });
  }

  #keepCounts(worker: WorkerProcess): void {
    for (const plugin of worker.status.plugins) this.#ended.add(endedPlugin(plugin));
  }

  /** Starts what is missing, after a pause that grows while workers keep dying. */
  #refill(): void {
    if (this.#stopping || this.#alive.size >= this.#count) return;
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      void this.#inTurn(() => this.#replace());
    }, this.#restartMs);
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MS_MAX);
  }

  async #replace(): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined || this.#stopping) return;
    const added = this.#add(this.#count - this.#alive.size);
    for (const worker of added) {
      const prepared = await worker.prepare(plan, this.#places);
      if (this.#stopping) {
        this.#remove(worker);
      } else if (prepared.ok) {
        await worker.commit(plan);
        this.#watch(worker);
        this.#leadership.join(worker);
        this.#restarts++;
        log.info("worker has been replaced", { pid: worker.pid });
      } else {
        this.#remove(worker);
        log.error("Cannot start a worker in place of the one that ended", { pid: worker.pid });
      }
    }
    this.#refill();
  }

  #beat(): void {
    this.#lender.sweep();
    for (const worker of this.#all()) {
      if (worker.beat()) continue;
      log.error("worker does not answer and is killed", { pid: worker.pid });
      worker.kill();
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/**
 * Builds the generation in a process that serves nobody: a module that hangs or crashes the engine
 * takes this one down, and no worker.
 */
export async function tryOut(
  command: WorkerCommand,
  plan: Plan,
  onStart: (trial: WorkerProcess) => void = () => {},
): Promise<readonly Diagnostic[]> {
  const trial = new WorkerProcess(command);
  onStart(trial);
  const beat = setInterval(() => {
    if (!trial.beat()) trial.kill();
  }, HEARTBEAT_MS);
  try {
    const outcomes = await prepareAtOnce([trial], toSend(trialOf(plan)));
    return verdictOn(outcomes, [trial], plan.config.file);
  } finally {
    clearInterval(beat);
    trial.kill();
  }
}

function toSend(plan: Plan): SentPlan {
  return { ...plan, config: JSON.stringify(plan.config) };
}

/** What a trial is about: every plugin with every configuration once, and no ports. */
function trialOf(plan: Plan): Plan {
  const seen = new Set<string>();
  const isNew = (use: PluginUse): boolean => {
    const before = seen.size;
    return seen.add(JSON.stringify([use.name, use.config])).size > before;
  };
  const routes = plan.config.routes.filter(({ plugins }) => plugins.filter(isNew).length > 0);
  // A route that stands in for the global ones, in case no other is left.
  const first = plan.config.routes[0];
  const kept = routes.length === 0 && first !== undefined ? [first] : routes;
  return { ...plan, config: { ...plan.config, routes: kept }, listen: false };
}

type Outcomes = ReadonlyMap<WorkerProcess, Prepared>;

async function prepareAtOnce(
  workers: readonly WorkerProcess[],
  plan: SentPlan,
  places?: Places,
): Promise<Outcomes> {
  const outcomes = await Promise.all(
    workers.map(async (worker) => [worker, await worker.prepare(plan, places)] as const),
  );
  return new Map(outcomes);
}

/** For workers that serve: while one of them builds, its requests wait, and only its own. */
async function prepareInTurn(
  workers: readonly WorkerProcess[],
  plan: SentPlan,
  places: Places,
): Promise<Outcomes> {
  const outcomes = new Map<WorkerProcess, Prepared>();
  for (const worker of workers) outcomes.set(worker, await worker.prepare(plan, places));
  return outcomes;
}

/**
 * @param judges workers whose death counts against the plan: they have done nothing else
 * @returns why the plan is refused
 */
function verdictOn(
  outcomes: Outcomes,
  judges: readonly WorkerProcess[],
  file: string,
): readonly Diagnostic[] {
  let ready = 0;
  for (const [worker, outcome] of outcomes) {
    if (outcome.ok) ready++;
    else if (outcome.diagnostics !== "dead") return outcome.diagnostics;
    else if (judges.includes(worker)) return [workerDied(file)];
  }
  return ready === 0 ? [workerDied(file)] : [];
}

function workerDied(file: string): Diagnostic {
  return generationFailed(
    file,
    "Cannot build the generation: the process that built it ended or stopped answering; " +
      "a plugin may loop in its start function or in on_configure",
  );
}

function generationFailed(file: string, message: string): Diagnostic {
  return {
    severity: "error",
    code: "GENERATION_FAILED",
    message,
    file,
    position: undefined,
    hint: undefined,
  };
}
