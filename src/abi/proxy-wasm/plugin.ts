import type { Plugin, PluginHost } from "../../filter/filter.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { GuestPlugin } from "../guest/guest-plugin.ts";
import { Health } from "../guest/health.ts";
import type { GuestSettings } from "../guest/settings.ts";
import { StreamContext } from "./context.ts";
import { callbackBits } from "./exports.ts";
import { prepareForeignFunctions } from "./foreign.ts";
import type { Guest } from "./guest.ts";
import { Metrics } from "./metrics.ts";
import type { RootState } from "./root-events.ts";
import { guestKind } from "./start.ts";
import { type VmScopes, vmScopes } from "./vm-scope.ts";

/**
 * Starts a plugin: its long-lived guest, and with `instances: per_request` the pool of its copies.
 * @param nowMs monotonic clock, for tests and for runs without a gateway
 * @param scopes where its shared data and queues are
 * @throws PluginRefused when the module, its start or its configuration is refused
 */
export function startPlugin(
  module: LoadedModule,
  host: PluginHost,
  settings: GuestSettings,
  nowMs: () => number = () => performance.now(),
  scopes: VmScopes = vmScopes,
): Plugin {
  prepareForeignFunctions(module);
  const log = new GuestLog(host, nowMs);
  const resources = {
    host,
    log,
    metrics: new Metrics(),
    scope: scopes.acquire(host.vmId),
    settings,
    health: new Health(settings.breaker, log, nowMs),
  };
  return new GuestPlugin<RootState, Guest>({
    kind: guestKind(module, resources),
    resources,
    nowMs,
    open: (first) => ({
      callbacks: callbackBits(first.exports),
      begin: (guest, exchange, owner) => StreamContext.create(guest, exchange, owner),
    }),
    metrics: () => resources.metrics.snapshot(),
    closed: () => scopes.release(host.vmId),
  });
}
