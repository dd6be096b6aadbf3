import { LIMITS } from "../base/limits.ts";
import type { LimitsConfig, SandboxConfig, TimeoutConfig } from "./config.ts";

/** What applies when the file says nothing; the schema, the documentation and the loader agree. */
export const DEFAULTS = {
  /** All interfaces, as in APISIX: a container is reached from outside. */
  listen: "0.0.0.0:9080",
  workers: "auto",
  pluginsDir: "plugins",
  timeout: {
    connectMs: 5_000,
    sendMs: 60_000,
    readMs: 60_000,
    totalMs: 0,
    idleMs: 300_000,
  } satisfies TimeoutConfig,
  retries: 1,
  weight: 1,
  /** For a node that names none. */
  port: 80,
  keepalive: {
    size: LIMITS.idleConnectionsPerNode,
    idleMs: 60_000,
    requests: 1_000_000,
  },
  limits: {
    requestTargetBytes: LIMITS.requestTargetBytesMax,
    requestHeaderBytes: LIMITS.requestHeaderBytesMax,
    requestBodyBytes: LIMITS.requestBodyBytesMax,
    filterBufferBytes: LIMITS.filterBufferBytesMax,
    exchangesInFlight: LIMITS.exchangesInFlightMax,
  } satisfies LimitsConfig,
  sandbox: {
    instances: "shared",
    limits: {
      memoryPages: LIMITS.guestPagesDefault,
      recyclePages: recyclePagesOf(LIMITS.guestPagesDefault),
      deadlineMs: LIMITS.guestDeadlineMsDefault,
      totalMs: LIMITS.guestTotalMsDefault,
      fuel: 0,
      startMs: LIMITS.guestStartMsDefault,
    },
    pool: {
      size: LIMITS.poolSandboxesDefault,
      warm: LIMITS.poolWarmDefault,
      queue: LIMITS.poolWaitingDefault,
      waitMs: LIMITS.poolWaitMsDefault,
    },
    breaker: {
      failures: LIMITS.breakerFailuresDefault,
      windowMs: LIMITS.breakerWindowMsDefault,
      openMs: LIMITS.breakerOpenMsDefault,
    },
    seed: undefined,
    pause: "all",
    routeCache: "clear",
  } satisfies SandboxConfig,
  log: { level: "info", format: "text" },
  drainMs: LIMITS.drainMsDefault,
} as const;

/** count; data-plane processes that a file may ask for. */
export const WORKERS_MAX = 256;
/** A node's share; more would only say the same with larger numbers. */
export const WEIGHT_MAX = 65_535;

/** pages; `limits.recycle` when a plugin says nothing: three quarters of its memory. */
export function recyclePagesOf(memoryPages: number): number {
  return Math.max(1, Math.floor((memoryPages * 3) / 4));
}
