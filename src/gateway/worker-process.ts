import { LIMITS } from "../base/limits.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { Places } from "../shm/place.ts";
import type { SharedFile } from "../shm/shared-file.ts";
import { moduleKey, type SentPlan, type ToMaster, type ToWorker } from "./messages.ts";
import { decodeStatus, NO_STATUS, type WorkerStatus } from "./worker-status.ts";

/** ms between two heartbeats. */
export const HEARTBEAT_MS = 1000;

/** How a worker is started again from this executable: its command line. */
export type WorkerCommand = readonly string[];

/**
 * Why a worker could not build a generation; "dead" when it ended or stopped answering meanwhile.
 */
export type Prepared = { ok: true } | { ok: false; diagnostics: readonly Diagnostic[] | "dead" };

/** What a worker that is to serve shares with the others; a trial shares nothing. */
export interface WorkerTies {
  /** Undefined where there is none. */
  readonly file: SharedFile | undefined;
  /** No other worker has ever had it. */
  readonly serial: number;
  /** The worker with that serial number has to look into a queue. */
  readonly wake: (serial: number, queueId: number) => void;
}

/**
 * The master's end of one worker process: messages, heartbeat, and its end.
 *
 * A worker that does not answer for LIMITS.heartbeatMsMax is killed: a guest that loops, or an
 * engine that hangs, cannot be stopped in any other way. While it builds a generation that is
 * LIMITS.prepareMsMax.
 */
export class WorkerProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  /** Of the last heartbeat, but for the generation, which is always the one that it serves. */
  status: WorkerStatus = NO_STATUS;
  readonly #child: Bun.Subprocess;
  readonly #ties: WorkerTies | undefined;
  /** Keys of modules that the worker's current generation holds. */
  #held = new Set<string>();
  #waiting: { number: number; resolve: (prepared: Prepared) => void } | undefined;
  #committing: { number: number; resolve: () => void } | undefined;
  #becameReady: () => void = () => {};
  readonly #ready: Promise<void>;
  #sequence = 0;
  #answeredAt = performance.now();
  #beatAt = performance.now();
  #ended = false;

  constructor(command: WorkerCommand, ties?: WorkerTies) {
    this.#ties = ties;
    this.#ready = new Promise((resolve) => {
      this.#becameReady = resolve;
    });
    this.#child = Bun.spawn({
      cmd: [...command],
      env: workerEnvironment(),
      // What comes behind the standard ones is SHARED_FD in the worker.
      stdio: ["ignore", "inherit", "inherit", ...inheritedFds(ties)],
      serialization: "advanced",
      ipc: (message: ToMaster) => this.#receive(message),
    });
    this.pid = this.#child.pid;
    this.exited = this.#child.exited.then(() => this.#end());
  }

  /** False once the process has ended. */
  get alive(): boolean {
    return !this.#ended;
  }

  /** Of its ties; 0: it has none. */
  get serial(): number {
    return this.#ties?.serial ?? 0;
  }

  /** How it ended, for the log. */
  get exit(): string {
    const { signalCode, exitCode } = this.#child;
    return signalCode === null ? `code ${exitCode}` : String(signalCode);
  }

  /**
   * Has it build the generation; the bytes of modules that it holds already are not sent again.
   * @param places of the plan's stores
   */
  async prepare(plan: SentPlan, places: Places = {}): Promise<Prepared> {
    await Promise.race([this.#ready, this.exited]);
    if (this.#ended) return { ok: false, diagnostics: "dead" };
    const modules = plan.modules.map((module) =>
      this.#held.has(moduleKey(module)) ? { ...module, bytes: undefined } : module,
    );
    const late = setTimeout(() => this.kill(), LIMITS.prepareMsMax);
    const prepared = await new Promise<Prepared>((resolve) => {
      this.#waiting = { number: plan.number, resolve };
      const { file, serial } = this.#ties ?? {};
      const isTied = file !== undefined && serial !== undefined;
      const stores = isTied ? { stores: { serial, places } } : {};
      this.#send({ type: "prepare", plan: { ...plan, modules }, ...stores });
    });
    clearTimeout(late);
    return prepared;
  }

  /** Has it serve from the prepared generation; resolves when it does, or is dead. */
  async commit(plan: SentPlan): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#committing = { number: plan.number, resolve };
      this.#send({ type: "commit", number: plan.number });
    });
    this.#held = new Set(plan.modules.map(moduleKey));
  }

  abort(number: number): void {
    this.#send({ type: "abort", number });
  }

  drain(drainMs: number): void {
    this.#send({ type: "drain", drainMs });
  }

  /** Something may wait in that queue. */
  wake(queueId: number): void {
    this.#send({ type: "wake", queueId });
  }

  /** Another worker has ended. */
  tellGone(): void {
    this.#send({ type: "gone" });
  }

  lead(isLeader: boolean): void {
    this.#send({ type: "lead", isLeader });
  }

  /** Asks for a sign of life. @returns false when the last one is too long ago */
  beat(): boolean {
    // Building blocks it, plugin after plugin, and has a bound of its own in prepare().
    if (this.#waiting !== undefined) return true;
    const nowMs = performance.now();
    // A master that did not run (it was stopped, or its machine was) has not asked either.
    if (nowMs - this.#beatAt > LIMITS.heartbeatMsMax / 2) this.#answeredAt = nowMs;
    this.#beatAt = nowMs;
    if (nowMs - this.#answeredAt > LIMITS.heartbeatMsMax) return false;
    this.#send({ type: "ping", sequence: ++this.#sequence });
    return true;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #send(message: ToWorker): void {
    if (this.#ended) return;
    try {
      this.#child.send(message);
    } catch {
      // It is ending; `exited` tells everyone who waits.
    }
  }

  #receive(message: ToMaster): void {
    this.#answeredAt = performance.now();
    switch (message.type) {
      case "ready":
        this.#becameReady();
        break;
      case "prepared":
        this.#settle(message.number, { ok: true });
        break;
      case "refused":
        this.#settle(message.number, { ok: false, diagnostics: message.diagnostics });
        break;
      case "committed":
        this.status = { ...this.status, generation: message.number };
        if (this.#committing?.number === message.number) this.#committing.resolve();
        break;
      case "wake":
        this.#ties?.wake(message.serial, message.queueId);
        break;
      case "pong":
        this.status = decodeStatus(message.status);
        break;
    }
  }

  #settle(number: number, prepared: Prepared): void {
    if (this.#waiting?.number !== number) return;
    this.#waiting.resolve(prepared);
    this.#waiting = undefined;
  }

  #end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ ok: false, diagnostics: "dead" });
    this.#waiting = undefined;
    this.#committing?.resolve();
  }
}

function inheritedFds(ties: WorkerTies | undefined): number[] {
  return ties?.file === undefined ? [] : [ties.file.fd];
}

/** How long the allocator keeps what was freed before the system gets it back. */
const FREED_MEMORY_KEPT_MS = 1000;

/**
 * A worker's environment: nothing of the master's but the time zone, so that no secret is in reach
 * of the data plane and no proxy variable redirects it. The engine's options can only be set here:
 * with more than 8 "fast" memories, starting a guest takes 40 µs instead of 700; with a smaller
 * stack, a guest that recurses until it is full blocks its worker for 2 to 20 ms instead of 500.
 * Without its timer, the runtime does not collect garbage because the heap has doubled, which it
 * has whenever a worker starts; when there is garbage is seen to by the engine and by the worker.
 */
function workerEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {
    // By itself it takes the sandboxes' whole memory for its heap and waits for as much again.
    BUN_JSC_gcMaxHeapSize: String(LIMITS.youngBytesMax),
    // With the bound alone it would begin with a quarter of it, and collect twice as often.
    BUN_JSC_largeHeapSize: String(LIMITS.youngBytesMax),
    BUN_GC_TIMER_DISABLE: "1",
    BUN_JSC_maxNumWasmFastMemories: "10000",
    // Bodies come and go: what is given back at once has to be faulted in again for the next one,
    // an eighth of what a response of 100 KiB costs.
    MIMALLOC_PURGE_DELAY: String(FREED_MEMORY_KEPT_MS),
    BUN_JSC_maxPerThreadStackUsage: String(LIMITS.workerStackBytes),
  };
  const zone = process.env["TZ"];
  if (zone !== undefined) environment["TZ"] = zone;
  return environment;
}
