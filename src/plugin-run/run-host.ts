import { deadlines } from "../base/deadlines.ts";
import type { AllowConfig } from "../config/config.ts";
import {
  type CallOut,
  type CallOutOutcome,
  type CallOutRefusal,
  type CallOutRequest,
  DENIED,
  type DeniedUse,
  type GrpcEvents,
  type GrpcRequest,
  type GrpcStream,
  type LogLevel,
  type PluginHost,
  type PropertyValue,
} from "../filter/filter.ts";
import { LIMITS } from "../base/limits.ts";
import { callTargetOf } from "../gateway/call-target.ts";
import { explainDenial } from "../gateway/denial.ts";
import { readGatewayProperty } from "../gateway/gateway-properties.ts";
import { concat } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { Recorder } from "./recorder.ts";
import { GrpcAnswers } from "./run-grpc.ts";
import { type RunCallOut, type RunOptions, toBytes } from "./run-options.ts";

/** What a run lends to the plugin in a gateway's place; what is granted is decided as there. */
export class RunHost implements PluginHost {
  readonly name: string;
  readonly configuration: Uint8Array;
  readonly vmConfiguration: Uint8Array;
  readonly rootId: string;
  readonly vmId: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly failOpen: boolean;
  readonly mayTick = true;
  readonly logLevel: LogLevel = "trace";
  readonly trace: Recorder;
  readonly #allow: AllowConfig;
  readonly #upstreams: ReadonlySet<string>;
  /** Answers that are left, by upstream. */
  readonly #answers = new Map<string, RunCallOut[]>();
  readonly #grpc: GrpcAnswers;

  constructor(options: RunOptions, trace: Recorder) {
    this.name = options.name ?? "plugin";
    this.configuration = toBytes(options.config ?? "");
    this.vmConfiguration = toBytes(options.vmConfig ?? "");
    this.rootId = options.rootId ?? "";
    this.trace = trace;
    this.failOpen = options.fail === "open";
    for (const answer of options.callOuts ?? []) {
      this.#answers.set(answer.upstream, [...(this.#answers.get(answer.upstream) ?? []), answer]);
    }
    this.#grpc = new GrpcAnswers(trace, options.grpc ?? []);
    const answering = [...this.#answers.keys(), ...this.#grpc.upstreams];
    const named = [...new Set([...answering, ...(options.upstreams ?? [])])];
    this.#upstreams = new Set(named.filter((name) => !name.includes(":")));
    this.#allow = {
      httpCall: named.filter((name) => !name.includes(":")),
      httpCallPatterns: named.filter((name) => name.includes(":")),
      env: {},
      namespace: this.name,
      queues: [],
      properties: [],
      ...options.allow,
    };
    this.vmId = this.#allow.namespace;
    this.environment = this.#allow.env;
  }

  log(level: LogLevel, message: string): void {
    this.trace.add({ kind: "log", depth: this.trace.depth, level, message });
  }

  callOut(
    request: CallOutRequest,
    done: (outcome: CallOutOutcome) => void,
  ): CallOut | CallOutRefusal {
    const { upstream: name } = request;
    const refusal = this.#refusal(name);
    if (refusal !== undefined) return refusal;
    const answer = this.#answers.get(name)?.shift() ?? { upstream: name, error: NO_ANSWER };
    const limitMs = Math.min(request.timeoutMs || LIMITS.callOutMsMax, LIMITS.callOutMsMax);
    const delayMs = answer.delayMs ?? 0;
    const isLate = delayMs > limitMs;
    const outcome = isLate ? { error: `no answer within ${limitMs} ms` } : outcomeOf(answer);
    const waiting = deadlines.arm(isLate ? limitMs : delayMs, () => {
      const told =
        "error" in outcome ? `has failed: ${outcome.error}` : `answers ${outcome.status}`;
      this.trace.note(`the call to ${name} ${told}`);
      done(outcome);
    });
    return {
      cancel: () => {
        this.trace.note(`the call to ${name} is cancelled`);
        waiting.cancel();
      },
    };
  }

  grpc(request: GrpcRequest, events: GrpcEvents): GrpcStream | CallOutRefusal {
    return this.#refusal(request.upstream) ?? this.#grpc.begin(request, events);
  }

  mayFindQueues(vmId: string): boolean {
    return vmId === this.vmId || this.#allow.queues.includes(vmId);
  }

  /** What would differ from machine to machine is the same here. */
  gatewayProperty(name: string): PropertyValue | typeof DENIED | undefined {
    const value = readGatewayProperty(name, this.#allow, 1);
    if (value === undefined || value === DENIED) return value;
    return FIXED.get(name) ?? value;
  }

  explainDenied(use: DeniedUse, name: string): string {
    return explainDenial(use, name, this.name, undefined);
  }

  #refusal(upstream: string): CallOutRefusal | undefined {
    const target = callTargetOf(upstream, this.#allow, (id) => this.#upstreams.has(id));
    return target.kind === "unknown" || target.kind === "denied" ? target.kind : undefined;
  }
}

const NO_ANSWER = "the run has no answer left for this call";

const FIXED: ReadonlyMap<string, PropertyValue> = new Map<string, PropertyValue>([
  ["gateway.worker", 1n],
  ["node.id", "plugin-run"],
]);

function outcomeOf(answer: RunCallOut): CallOutOutcome {
  if (answer.error !== undefined) return { error: answer.error };
  const chunks = (answer.body ?? []).map(toBytes);
  const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return {
    status: answer.status ?? 200,
    headers: HeaderList.from(answer.headers ?? []),
    body: concat(chunks, total),
    trailers: answer.trailers === undefined ? undefined : HeaderList.from(answer.trailers),
  };
}
