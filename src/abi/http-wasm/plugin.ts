import type { Plugin, PluginHost } from "../../filter/filter.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { GuestPlugin } from "../guest/guest-plugin.ts";
import { Health } from "../guest/health.ts";
import type { GuestSettings } from "../guest/settings.ts";
import { GuestExchange } from "./guest-exchange.ts";
import type { HttpWasmGuest, InitFeatures } from "./guest.ts";
import { needsOf } from "./needs.ts";
import { guestKind } from "./start.ts";

/**
 * Starts a plugin: its long-lived guest, and with `instances: per_request` the pool of its copies.
 * @param nowMs monotonic clock, for tests and for runs without a gateway
 * @throws PluginRefused when the module or its start is refused
 */
export function startHttpWasmPlugin(
  module: LoadedModule,
  host: PluginHost,
  settings: GuestSettings,
  nowMs: () => number = () => performance.now(),
): Plugin {
  const log = new GuestLog(host, nowMs);
  const resources = { host, log, settings, health: new Health(settings.breaker, log, nowMs) };
  return new GuestPlugin<InitFeatures, HttpWasmGuest>({
    kind: guestKind(module, resources),
    resources,
    nowMs,
    open: (first) => {
      const needs = needsOf(module.outline, first.features);
      return {
        callbacks: needs.callbacks,
        begin: (guest, exchange, owner) => new GuestExchange(guest, exchange, needs, owner),
      };
    },
    metrics: () => [],
    closed: () => {},
  });
}
