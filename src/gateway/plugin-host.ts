import { LIMITS } from "../base/limits.ts";
import { log, type LogSeverity } from "../base/log.ts";
import type { PluginConfig, PluginUse } from "../config/config.ts";
import {
  type CallOut,
  type CallOutOutcome,
  type CallOutRefusal,
  type CallOutRequest,
  LOG_LEVELS,
  type LogLevel,
  type PluginHost,
} from "../filter/filter.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { sendCallOut } from "./call-out.ts";

/** Where call-outs go: the upstreams of the generation that is current when they are made. */
export interface CallOutTargets {
  upstream(id: string): Upstream | undefined;
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
 */
export function createPluginHost(
  settings: PluginConfig,
  use: PluginUse,
  targets: CallOutTargets,
): PluginHost {
  const encoder = new TextEncoder();
  let callOutsInFlight = 0;
  return {
    name: settings.name,
    configuration: encoder.encode(use.config),
    vmConfiguration: encoder.encode(settings.vmConfig),
    rootId: settings.rootId,
    vmId: settings.name,
    environment: settings.allow.env,
    failOpen: settings.fail === "open",
    get logLevel(): LogLevel {
      return LOG_LEVELS.find((level) => log.enabled(SEVERITY[level])) ?? "critical";
    },
    log: (level, message) => log.write(SEVERITY[level], message, { plugin: settings.name }),
    callOut(
      request: CallOutRequest,
      done: (outcome: CallOutOutcome) => void,
    ): CallOut | CallOutRefusal {
      const upstream = targets.upstream(request.upstream);
      if (upstream === undefined) return "unknown";
      if (!settings.allow.httpCall.includes(request.upstream)) return "denied";
      if (callOutsInFlight >= LIMITS.callOutsInFlightMax) return "overloaded";
      callOutsInFlight++;
      return sendCallOut(upstream, request, (outcome) => {
        callOutsInFlight--;
        if (outcome !== undefined) done(outcome);
      });
    },
  };
}
