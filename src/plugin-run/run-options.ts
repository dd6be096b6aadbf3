import type { AllowConfig, PluginConfig, SandboxConfig } from "../config/config.ts";
import type { FaultCode } from "../base/errors.ts";

type Lines = readonly (readonly [name: string, value: string])[];

/** Text is latin-1, one char for each byte; what is left out has the gateway's default. */
export interface RunOptions {
  /** What messages call the plugin; "plugin". */
  readonly name?: string;
  /** What `proxy_on_configure` reads. */
  readonly config?: string | Uint8Array;
  readonly vmConfig?: string | Uint8Array;
  readonly rootId?: string;
  /** What YAML's `allow` would grant; all call-outs that have an answer, when it is left out. */
  readonly allow?: Partial<AllowConfig>;
  /** auto: found in the module. */
  readonly abi?: PluginConfig["abi"];
  readonly fail?: "closed" | "open";
  readonly instances?: SandboxConfig["instances"];
  readonly pause?: SandboxConfig["pause"];
  readonly limits?: Partial<SandboxConfig["limits"]>;
  /** Bytes of body that a paused filter may hold. */
  readonly filterBufferBytes?: number;
  readonly request?: RunRequest;
  /** What the upstream answers; left out: what it has been asked, as JSON. */
  readonly upstream?: RunAnswer | RunFailure;
  /** Answers of call-outs: each upstream's in the order of its calls. */
  readonly callOuts?: readonly RunCallOut[];
  /** Answers of gRPC calls and streams: each upstream's in the order of its calls. */
  readonly grpc?: readonly RunGrpc[];
  /** Upstreams that there are, beside those of `callOuts` and `grpc`. */
  readonly upstreams?: readonly string[];
  /** Ticks to wait for before the exchange begins, and after it has ended. */
  readonly ticks?: number;
  readonly ticksAfter?: number;
  /** Put into queues that the plugin has registered, before the exchange begins. */
  readonly queueItems?: readonly { readonly queue: string; readonly item: string }[];
  /** ms since 1970 at which the run begins. */
  readonly startMs?: number;
  /** Of the random numbers. */
  readonly seed?: number;
  /** Events that are written down; LIMITS.transcriptEventsMax, which it may lower. */
  readonly eventsMax?: number;
}

export interface RunRequest {
  readonly method?: string;
  /** Absolute; "http://example.test/". Its path and query go as they are written. */
  readonly url?: string;
  readonly version?: "1.0" | "1.1";
  /** Host is added unless it is there. */
  readonly headers?: Lines;
  /** In pieces as they come in; left out: no body. */
  readonly body?: readonly (string | Uint8Array)[];
  readonly trailers?: Lines;
}

export interface RunAnswer {
  readonly status?: number;
  readonly headers?: Lines;
  readonly body?: readonly (string | Uint8Array)[];
  readonly trailers?: Lines;
}

/** The upstream gives no answer. */
export interface RunFailure {
  readonly failure: FaultCode;
}

export interface RunCallOut extends RunAnswer {
  /** Id of an upstream, or host:port. */
  readonly upstream: string;
  /** Why there is no answer. */
  readonly error?: string;
  /** ms until the answer is there; when that is above the call's timeout, the call times out. */
  readonly delayMs?: number;
}

/** What the node of a gRPC call does: its events come one after the other. */
export interface RunGrpc {
  /** Id of an upstream, or host:port. */
  readonly upstream: string;
  readonly metadata?: Lines;
  readonly messages?: readonly (string | Uint8Array)[];
  readonly trailing?: Lines;
  /** gRPC's code; 0. */
  readonly status?: number;
  readonly message?: string;
  /** ms until the first event; when that is above the call's timeout, it ends with status 4. */
  readonly delayMs?: number;
  /** Of a stream: nothing comes before the guest has ended its side. */
  readonly waitsForEnd?: boolean;
}

/** One char for each byte. */
export function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new Uint8Array(Buffer.from(text, "latin1")) : text;
}
