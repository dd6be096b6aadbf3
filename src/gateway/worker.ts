import { assert } from "../base/assert.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { handle } from "../proxy/exchange.ts";
import type { Asker, Incoming } from "../proxy/front/front.ts";
import type { DataPlane } from "../proxy/served.ts";
import { NodePools } from "../upstream/node-pools.ts";
import { AddressUpstreams } from "./address-upstreams.ts";
import { builtinNodes } from "./builtin-nodes.ts";
import { Fronts, ListenRefused } from "./fronts.ts";
import { buildGeneration, type Generation, GenerationRefused, type Shared } from "./generation.ts";
import type { Plan, ToMaster, ToWorker } from "./messages.ts";
import { PluginRegistry } from "./plugin-registry.ts";
import { endWithParent } from "./parent-death.ts";
import { IdleCollection } from "./idle-collection.ts";
import { PressureCollection } from "./pressure-collection.ts";
import { refuse } from "./refuse.ts";
import { BorrowedStores } from "./borrowed-stores.ts";
import { encodeStatus } from "./worker-status.ts";
import { vmScopes } from "../abi/proxy-wasm/vm-scope.ts";

/**
 * One data-plane process: fronts on the shared ports, the current generation, and what is left of
 * the ones before it. It does what the master says and ends when the master does.
 * @param metering guests can be kept to their time, in one way or the other; nothing is done before
 */
export function runWorker(send: (message: ToMaster) => void, metering: Promise<void>): void {
  endWithParent();
  const worker = new Worker(send);
  process.on("message", (message: ToWorker) => {
    void metering.then(() => worker.receive(message));
  });
  process.on("disconnect", () => process.exit(0));
  // A terminal or a service supervisor signals the whole group; when to stop is the master's word.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("SIGHUP", () => {});
  setInterval(() => worker.lookAtMemory(), LIMITS.memoryLookMs);
  send({ type: "ready" });
}

class Worker {
  readonly #send: (message: ToMaster) => void;
  readonly #shared: Shared;
  readonly #plane: Plane;
  readonly #fronts: Fronts;
  readonly #idleCollection = new IdleCollection();
  readonly #pressureCollection = new PressureCollection();
  readonly #stores: BorrowedStores;
  #prepared: Generation | undefined;
  #generations = 0;
  #isLeader = false;

  constructor(send: (message: ToMaster) => void) {
    this.#send = send;
    this.#stores = new BorrowedStores(vmScopes, (serial, queueId) => {
      send({ type: "wake", serial, queueId });
    });
    const isLeader = (): boolean => this.#isLeader;
    const pools = new NodePools({ resolveBuiltin: builtinNodes() });
    this.#shared = {
      pools,
      plugins: new PluginRegistry(),
      surroundings: {
        generationSince: (number) => {
          const serving = this.#plane.generation;
          if (serving !== undefined && serving.number >= number) return serving;
          return this.#prepared ?? this.#shared.building;
        },
        upstream: (id) => (this.#plane.generation ?? this.#prepared)?.upstreams.get(id),
        addresses: new AddressUpstreams(pools),
        get isLeader() {
          return isLeader();
        },
      },
      building: undefined,
    };
    this.#plane = new Plane();
    this.#fronts = new Fronts({
      handle: (incoming, asker) => this.#plane.serve(incoming, asker),
      refuse,
    });
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case "prepare":
        this.#stores.prepare(message.stores);
        this.#prepare({ ...message.plan, config: JSON.parse(message.plan.config) as Config });
        break;
      case "commit":
        this.#commit(message.number);
        break;
      case "abort":
        this.#abort(message.number);
        break;
      case "ping":
        this.#pong(message.sequence);
        break;
      case "drain":
        void this.#drain(message.drainMs);
        break;
      case "wake":
        vmScopes.queues.wake(message.queueId);
        break;
      case "gone":
        vmScopes.queues.bury();
        break;
      case "lead":
        this.#isLeader = message.isLeader;
        break;
    }
  }

  /** Every LIMITS.memoryLookMs. */
  lookAtMemory(): void {
    this.#pressureCollection.look(() => process.memoryUsage.rss());
  }

  #prepare(plan: Plan): void {
    const { number } = plan;
    if (this.#plane.draining) return; // It is about to end; its master learns of that.
    try {
      const generation = buildGeneration(plan, this.#plane.generation, this.#shared, () => {
        this.#generations--;
      });
      this.#generations++;
      this.#prepared = generation;
      if (plan.listen) this.#fronts.open(plan.config.listeners, plan.certificates);
      this.#send({ type: "prepared", number });
    } catch (error) {
      this.#abort(number);
      this.#send({ type: "refused", number, diagnostics: diagnosticsOf(error, plan) });
    }
  }

  #commit(number: number): void {
    const next = this.#prepared;
    if (next?.number !== number || this.#plane.draining) return;
    const previous = this.#plane.generation;
    this.#prepared = undefined;
    log.configure(next.config.log);
    this.#plane.generation = next;
    this.#fronts.commit();
    previous?.retire();
    this.#stores.commit();
    this.#send({ type: "committed", number });
  }

  #abort(number: number): void {
    this.#fronts.abort();
    if (this.#prepared?.number === number) {
      this.#prepared.retire();
      this.#prepared = undefined;
    }
    this.#stores.abort();
  }

  #pong(sequence: number): void {
    vmScopes.queues.look();
    this.#idleCollection.beat(this.#plane.inFlight, this.#plane.served);
    this.#send({
      type: "pong",
      sequence,
      status: encodeStatus({
        generation: this.#plane.generation?.number ?? 0,
        inFlight: this.#plane.inFlight,
        generations: this.#generations,
        collections: {
          growth: this.#pressureCollection.count,
          idle: this.#idleCollection.count,
        },
        plugins: this.#shared.plugins.sums,
      }),
    });
  }

  async #drain(drainMs: number): Promise<void> {
    this.#plane.draining = true;
    const cutOff = setTimeout(() => {
      log.warn("drain time is over", { drain_ms: drainMs, in_flight: this.#plane.inFlight });
      process.exit(0);
    }, drainMs);
    await this.#fronts.stop();
    clearTimeout(cutOff);
    this.#plane.generation?.retire();
    process.exit(0);
  }
}

class Plane implements DataPlane {
  inFlight = 0;
  /** Exchanges so far. */
  served = 0;
  draining = false;
  #generation: Generation | undefined;
  #becomeServing: () => void = () => {};
  readonly #serving = new Promise<void>((resolve) => {
    this.#becomeServing = resolve;
  });

  get generation(): Generation | undefined {
    return this.#generation;
  }

  set generation(next: Generation | undefined) {
    this.#generation = next;
    this.#becomeServing();
  }

  get current(): Generation {
    assert(this.#generation !== undefined, "Cannot serve before the first generation");
    return this.#generation;
  }

  /** A port opens before the first generation is committed; who comes that early waits for it. */
  serve(incoming: Incoming, asker: Asker): void {
    this.served++;
    if (this.#generation !== undefined) handle(this, incoming, asker);
    else void this.#serving.then(() => handle(this, incoming, asker));
  }
}

function diagnosticsOf(error: unknown, plan: Plan): readonly Diagnostic[] {
  if (error instanceof GenerationRefused) return error.diagnostics;
  const position = error instanceof ListenRefused ? error.listener.position : undefined;
  const code = error instanceof ListenRefused ? "LISTEN_FAILED" : "GENERATION_FAILED";
  const message = messageOf(error);
  return [{ severity: "error", code, message, file: plan.config.file, position, hint: undefined }];
}
