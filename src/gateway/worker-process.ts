import { LIMITS } from "../base/limits.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { moduleKey, type SentPlan, type ToMaster, type ToWorker } from "./messages.ts";
import { decodeStatus, NO_STATUS, type WorkerStatus } from "./worker-status.ts";

/** How a worker is started again from this executable: its command line. */
export type WorkerCommand = readonly string[];

/**
 * Why a worker could not build a generation; "dead" when it ended or stopped answering meanwhile.
 */
export type Prepared = { ok: true } | { ok: false; diagnostics: readonly Diagnostic[] | "dead" };

/**
 * The master's end of one worker process: messages, heartbeat, and its end.
 *
 * A worker that does not answer for LIMITS.heartbeatMsMax is killed: a guest that loops, or an
 * engine that hangs, cannot be stopped in any other way.
 */
export class WorkerProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  /** Of the last heartbeat, but for the generation, which is always the one that it serves. */
  status: WorkerStatus = NO_STATUS;
  readonly #child: Bun.Subprocess;
  /** Keys of modules that the worker's current generation holds. */
  #held = new Set<string>();
  #waiting: { number: number; resolve: (prepared: Prepared) => void } | undefined;
  #committing: { number: number; resolve: () => void } | undefined;
  #becameReady: () => void = () => {};
  readonly #ready: Promise<void>;
  #sequence = 0;
  #answeredAt = performance.now();
  #ended = false;

  constructor(command: WorkerCommand) {
    this.#ready = new Promise((resolve) => {
      this.#becameReady = resolve;
    });
    this.#child = Bun.spawn({
      cmd: [...command],
      env: workerEnvironment(),
      stdio: ["ignore", "inherit", "inherit"],
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

  /** How it ended, for the log. */
  get exit(): string {
    const { signalCode, exitCode } = this.#child;
    return signalCode === null ? `code ${exitCode}` : String(signalCode);
  }

  /** Has it build the generation; the bytes of modules that it holds already are not sent again. */
  async prepare(plan: SentPlan): Promise<Prepared> {
    await Promise.race([this.#ready, this.exited]);
    if (this.#ended) return { ok: false, diagnostics: "dead" };
    const modules = plan.modules.map((module) =>
      this.#held.has(moduleKey(module)) ? { ...module, bytes: undefined } : module,
    );
    const late = setTimeout(() => this.kill(), LIMITS.prepareMsMax);
    const prepared = await new Promise<Prepared>((resolve) => {
      this.#waiting = { number: plan.number, resolve };
      this.#send({ type: "prepare", plan: { ...plan, modules } });
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

  /** Asks for a sign of life. @returns false when the last one is too long ago */
  beat(): boolean {
    if (performance.now() - this.#answeredAt > LIMITS.heartbeatMsMax) return false;
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
      case "building":
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

/**
 * A worker's environment: nothing of the master's but the time zone, so that no secret is in reach
 * of the data plane and no proxy variable redirects it. The engine's options can only be set here:
 * with more than 8 "fast" memories, starting a guest takes 40 µs instead of 700; with a smaller
 * stack, a guest that recurses until it is full blocks its worker for 2 to 20 ms instead of 500.
 */
function workerEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {
    BUN_JSC_maxNumWasmFastMemories: "10000",
    BUN_JSC_maxPerThreadStackUsage: String(LIMITS.workerStackBytes),
  };
  const zone = process.env["TZ"];
  if (zone !== undefined) environment["TZ"] = zone;
  return environment;
}
