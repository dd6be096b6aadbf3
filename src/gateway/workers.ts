import { log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { WorkerView } from "./gateway-status.ts";
import type { Places } from "../shm/place.ts";
import { messageOf } from "../base/errors.ts";
import { Leadership } from "./leadership.ts";
import { type Plan, type SentPlan, toSend } from "./messages.ts";
import { endedPlugin, type PluginSum, PluginSums } from "./plugin-sums.ts";
import type { StoreLender } from "./store-lender.ts";
import { tryOut } from "./try-out.ts";
import { generationFailed, type Outcomes, verdictOn } from "./verdict.ts";
import { HEARTBEAT_MS, type Prepared, type WorkerProcess } from "./worker-process.ts";
import type { WorkerStarter } from "./worker-starter.ts";
import { addCollections, type Collections, NO_STATUS } from "./worker-status.ts";

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
  readonly #starter: WorkerStarter;
  readonly #alive = new Set<WorkerProcess>();
  /** Those that are wanted no more and finish what they have. */
  readonly #leaving = new Set<WorkerProcess>();
  /** Those that have been started ahead, until it is known how many are wanted. */
  #ahead: WorkerProcess[];
  /** Counts of those that have ended, as of their last heartbeat. */
  readonly #ended = new PluginSums();
  #endedCollections: Collections = NO_STATUS.collections;
  readonly #lender: StoreLender;
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

  /** @param ahead have been started already; the first apply() ends those that are too many */
  constructor(starter: WorkerStarter, ahead: readonly WorkerProcess[]) {
    this.#starter = starter;
    this.#lender = starter.lender;
    this.#ahead = [...ahead];
    starter.onWake = (serial, queueId) => {
      for (const worker of this.#all()) if (worker.serial === serial) worker.wake(queueId);
    };
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

  /** Over all workers, those that have ended included. */
  get collections(): Collections {
    const each = this.views.map(({ status }) => status.collections);
    return each.reduce(addCollections, this.#endedCollections);
  }

  /**
   * Brings every worker to the plan's generation, or none. At the first start each serves as soon
   * as it is ready; a plan that another one refuses then ends them all.
   * @param onServing the first one serves: once, and only at the first start
   * @returns why not, empty when it is done; "stopping" when stop() has come meanwhile
   */
  apply(plan: Plan, onServing: () => void): Promise<readonly Diagnostic[] | "stopping"> {
    return this.#inTurn(() => this.#apply(plan, onServing));
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

  async #apply(plan: Plan, onServing: () => void): Promise<readonly Diagnostic[] | "stopping"> {
    const first = this.#plan === undefined;
    if (!first) {
      const refused = await tryOut(this.#starter.command, plan, (trial) => (this.#trial = trial));
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
    const wanted = plan.config.workers - before.length;
    const added = this.#add(first ? Math.min(wanted, Math.max(1, this.#ahead.length)) : wanted);
    this.#endAhead();
    const sent = toSend(plan);
    const outcomes = first
      ? await this.#startAll(added, wanted, sent, places, onServing)
      : await prepareInTurn([...before, ...added], sent, places);
    const all = [...before, ...added];
    const refused = verdictOn(outcomes, added, plan.config.file);
    if (this.#stopping || refused.length > 0) {
      for (const worker of before) worker.abort(plan.number);
      for (const worker of added) this.#remove(worker);
      this.#keepStores();
      return this.#stopping ? "stopping" : refused;
    }
    // One that has died meanwhile answers for itself, not for the plan: it is replaced on it.
    const ready = all.filter((worker) => outcomes.get(worker)?.ok === true);
    if (!first) await Promise.all(ready.map((worker) => worker.commit(sent)));
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

  /**
   * Has those that are there serve, and then starts the others: until one serves, they would only
   * take processor time from it. @param added those that are started later come in
   */
  async #startAll(
    added: WorkerProcess[],
    wanted: number,
    plan: SentPlan,
    places: Places,
    onServing: () => void,
  ): Promise<Outcomes> {
    const begun = added.map((worker) => startOne(worker, plan, places));
    const [, outcome] = await Promise.race(begun);
    if (outcome.ok && !this.#stopping) {
      onServing();
      const rest = this.#add(wanted - added.length);
      added.push(...rest);
      begun.push(...rest.map((worker) => startOne(worker, plan, places)));
    }
    return new Map(await Promise.all(begun));
  }

  /** Those of the configuration that serves. */
  #keepStores(): void {
    if (this.#config !== undefined) this.#lender.keepOnly(this.#config);
  }

  #add(count: number): WorkerProcess[] {
    const added = Array.from(
      { length: Math.max(0, count) },
      () => this.#ahead.shift() ?? this.#starter.start(),
    );
    for (const worker of added) {
      this.#alive.add(worker);
      void worker.exited.then(() => this.#tellGone(worker));
    }
    return added;
  }

  #endAhead(): void {
    for (const worker of this.#ahead) worker.kill();
    this.#ahead = [];
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
    const { collections, plugins } = worker.status;
    this.#endedCollections = addCollections(this.#endedCollections, collections);
    for (const plugin of plugins) this.#ended.add(endedPlugin(plugin));
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

/** For a first start: it serves as soon as it is ready. */
async function startOne(
  worker: WorkerProcess,
  plan: SentPlan,
  places: Places,
): Promise<readonly [WorkerProcess, Prepared]> {
  const outcome = await worker.prepare(plan, places);
  if (outcome.ok) await worker.commit(plan);
  return [worker, outcome];
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
