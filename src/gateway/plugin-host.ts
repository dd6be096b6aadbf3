import { LIMITS } from "../base/limits.ts";
import { log, type LogSeverity } from "../base/log.ts";
import { OwnTurns } from "../base/turns.ts";
import type { Config, PluginConfig, PluginUse } from "../config/config.ts";
import { callOutBytes } from "../filter/call-out-bytes.ts";
import {
  type CallOut,
  type CallOutOutcome,
  type CallOutRefusal,
  type CallOutRequest,
  type GrpcEvents,
  type GrpcRequest,
  type GrpcStream,
  LOG_LEVELS,
  type LogLevel,
  type PluginHost,
} from "../filter/filter.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { AddressLease, AddressUpstreams } from "./address-upstreams.ts";
import { sendCallOut } from "./call-out.ts";
import { callTargetOf } from "./call-target.ts";
import { explainDenial } from "./denial.ts";
import { readGatewayProperty } from "./gateway-properties.ts";
import { openGrpcStream } from "./grpc-stream.ts";

/** As much of a generation as plugins see of it. */
export interface VisibleGeneration {
  readonly number: number;
  readonly config: Config;
  /** undefined while it is being built: nothing can be sent yet. */
  readonly upstreams: ReadonlyMap<string, Upstream> | undefined;
}

/** What is around a plugin that outlives generations: asked for anew with every use. */
export interface Surroundings {
  /** The generation that serves, unless it is older than that: then the one that is about to. */
  generationSince(number: number): VisibleGeneration | undefined;
  /** Where its call-outs go. */
  upstream(id: string): Upstream | undefined;
  readonly addresses: AddressUpstreams;
  /** This worker is the one whose plugins tick under `tick: leader`. */
  readonly isLeader: boolean;
}

const SEVERITY: Readonly<Record<LogLevel, LogSeverity>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warn: "warn",
  error: "error",
  critical: "error",
};

/**
 * What the gateway lends to one configured plugin: its configuration, and only what YAML grants.
 * @param startedBy number of the generation that starts the plugin; later ones may take it over
 */
export function createPluginHost(
  settings: PluginConfig,
  use: PluginUse,
  startedBy: number,
  around: Surroundings,
): PluginHost {
  const encoder = new TextEncoder();
  const { name, allow } = settings;
  const generation = (): VisibleGeneration | undefined => around.generationSince(startedBy);
  const callOuts = new CallOutGate(settings, generation, around);
  return {
    name,
    configuration: encoder.encode(use.config),
    vmConfiguration: encoder.encode(settings.vmConfig),
    rootId: settings.rootId,
    vmId: allow.namespace,
    environment: allow.env,
    failOpen: settings.fail === "open",
    get mayTick(): boolean {
      return settings.tick === "all" || around.isLeader;
    },
    get logLevel(): LogLevel {
      return LOG_LEVELS.find((level) => log.enabled(SEVERITY[level])) ?? "critical";
    },
    log: (level, message) => log.write(SEVERITY[level], message, { plugin: name }),
    callOut: (request, done) => callOuts.send(request, done),
    grpc: (request, events) => callOuts.openGrpc(request, events),
    mayFindQueues: (vmId) => vmId === allow.namespace || allow.queues.includes(vmId),
    gatewayProperty: (path) => readGatewayProperty(path, allow, generation()?.number ?? startedBy),
    explainDenied: (denied, target) => explainDenial(denied, target, name, generation()?.config),
  };
}

/** The call-outs of one plugin: where they may go, and how many at a time. */
class CallOutGate {
  readonly #settings: PluginConfig;
  readonly #generation: () => VisibleGeneration | undefined;
  readonly #around: Surroundings;
  #inFlight = 0;
  #bytes = 0;
  #grpcStreams = 0;
  /** Answers are told one after the other, however many there are. */
  readonly #turns = new OwnTurns();

  constructor(
    settings: PluginConfig,
    generation: () => VisibleGeneration | undefined,
    around: Surroundings,
  ) {
    this.#settings = settings;
    this.#generation = generation;
    this.#around = around;
  }

  send(request: CallOutRequest, done: (outcome: CallOutOutcome) => void): CallOut | CallOutRefusal {
    let bytes = callOutBytes(request);
    const isFull =
      this.#inFlight >= LIMITS.callOutsInFlightMax ||
      this.#bytes + bytes > LIMITS.callOutBytesInFlightMax;
    const lease = this.#find(request.upstream, isFull);
    if (typeof lease === "string") return lease;
    this.#inFlight++;
    this.#bytes += bytes;
    let isCancelled = false;
    const tell = (outcome: CallOutOutcome | undefined): boolean => {
      this.#inFlight--;
      this.#bytes -= bytes;
      lease.release();
      if (outcome !== undefined && !isCancelled) done(outcome);
      return false;
    };
    const mayKeep = (more: number): boolean => {
      if (this.#bytes + more > LIMITS.callOutBytesInFlightMax) return false;
      bytes += more;
      this.#bytes += more;
      return true;
    };
    const call = sendCallOut(lease.upstream, request, mayKeep, (outcome) =>
      this.#turns.add({ tell: () => tell(outcome) }),
    );
    return {
      cancel: () => {
        isCancelled = true;
        call.cancel();
      },
    };
  }

  openGrpc(request: GrpcRequest, events: GrpcEvents): GrpcStream | CallOutRefusal {
    const isFull = this.#grpcStreams >= LIMITS.grpcStreamsMax;
    const lease = this.#find(request.upstream, isFull);
    if (typeof lease === "string") return lease;
    this.#grpcStreams++;
    const over = (): void => {
      this.#grpcStreams--;
      lease.release();
    };
    const { name } = this.#settings;
    return openGrpcStream(lease.upstream, name, request, events, over, this.#turns);
  }

  #find(name: string, isFull: boolean): AddressLease | CallOutRefusal {
    const target = callTargetOf(name, this.#settings.allow, (id) => this.#isUpstream(id));
    if (target.kind === "unknown" || target.kind === "denied") return target.kind;
    if (isFull) return "overloaded";
    if (target.kind === "address") {
      const { host, port } = target;
      return this.#around.addresses.acquire(this.#settings.name, host, port) ?? "overloaded";
    }
    const upstream = this.#around.upstream(target.id);
    return upstream === undefined ? "unknown" : { upstream, release: () => {} };
  }

  /** Those that are written inside of routes have no name that anybody could grant. */
  #isUpstream(id: string): boolean {
    if (id.includes(":")) return false;
    const { upstreams, config } = this.#generation() ?? {};
    return upstreams?.has(id) ?? config?.upstreams.some((each) => each.id === id) ?? false;
  }
}
