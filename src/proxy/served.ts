import type { LimitsConfig, TimeoutConfig } from "../config/config.ts";
import type { Plugin } from "../filter/filter.ts";
import type { Router } from "../router/router.ts";
import type { ForwardOptions, ResponseObserver, UpstreamRequest } from "../upstream/message.ts";

/** What the proxy sees of a generation: immutable from the first exchange to the last. */
export interface ServedGeneration {
  /** Counts up with every accepted configuration. */
  readonly number: number;
  readonly router: Router<ServedRoute>;
  readonly limits: LimitsConfig;
  /** One more exchange lives on it; it is not freed before as many leave() calls. */
  enter(): void;
  leave(): void;
}

export interface ServedRoute {
  readonly id: string;
  readonly upstream: Forwarder;
  readonly timeout: TimeoutConfig;
  /** In the order of request callbacks: global ones first. */
  readonly plugins: readonly Plugin[];
}

/** The part of an upstream that the proxy uses. */
export interface Forwarder {
  readonly id: string;
  send(request: UpstreamRequest, options: ForwardOptions, observer: ResponseObserver): void;
}

/** What a front's requests run on: the generation that is current when they come in. */
export interface DataPlane {
  readonly current: ServedGeneration;
  /** Exchanges that live, over all generations. */
  inFlight: number;
  /** Answers close their connections: the process is about to stop. */
  draining: boolean;
  /** The id of the next exchange; undefined: one that is unique everywhere. */
  readonly nextRequestId?: () => string;
}
