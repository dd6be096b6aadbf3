import { GatewayError } from "../../base/errors.ts";
import type {
  FilterHost,
  HttpFilter,
  Plugin,
  PluginHost,
  PluginStatus,
} from "../../filter/filter.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { StreamContext } from "./context.ts";
import { callbackBits } from "./exports.ts";
import { prepareExpressions } from "./foreign-expressions.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { GuestPool } from "../guest/guest-pool.ts";
import type { PluginResources } from "./resources.ts";
import { Health } from "../guest/health.ts";
import { LivingGuest } from "../guest/living-guest.ts";
import { Metrics } from "./metrics.ts";
import type { GuestSettings } from "../guest/settings.ts";
import type { Guest } from "./guest.ts";
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
  prepareExpressions(module);
  return new ProxyWasmPlugin(module, host, settings, nowMs, scopes);
}

class ProxyWasmPlugin implements Plugin {
  readonly name: string;
  readonly callbacks: number;
  readonly failOpen: boolean;
  readonly #resources: PluginResources;
  readonly #living: LivingGuest<RootState, Guest>;
  readonly #pool: GuestPool<RootState, Guest> | undefined;
  readonly #scopes: VmScopes;
  #closed = false;

  constructor(
    module: LoadedModule,
    host: PluginHost,
    settings: GuestSettings,
    nowMs: () => number,
    scopes: VmScopes,
  ) {
    this.#scopes = scopes;
    this.name = host.name;
    this.failOpen = host.failOpen;
    const log = new GuestLog(host, nowMs);
    this.#resources = {
      host,
      log,
      metrics: new Metrics(),
      scope: scopes.acquire(host.vmId),
      settings,
      health: new Health(settings.breaker, log, nowMs),
    };
    const kind = guestKind(module, this.#resources);
    let living: LivingGuest<RootState, Guest> | undefined;
    try {
      living = new LivingGuest(kind, this.#resources, nowMs);
      if (settings.instances === "per_request") {
        const { image } = living;
        this.#pool = new GuestPool(kind, this.#resources, image, (guest, exchange, gone) =>
          StreamContext.create(guest, exchange, gone),
        );
      }
    } catch (error) {
      living?.close(() => {});
      scopes.release(host.vmId);
      throw error;
    }
    this.#living = living;
    this.callbacks = callbackBits(living.current.exports);
  }

  createFilter(host: FilterHost): HttpFilter | Promise<HttpFilter> {
    if (this.#closed) throw this.#unavailable("it is closed");
    const { breaker } = this.#resources.health;
    if (!breaker.admit()) {
      throw this.#unavailable(`its breaker is ${breaker.state}: it has failed too often`);
    }
    if (this.#pool !== undefined) return this.#pool.createFilter(host);
    const guest = this.#living.usable();
    return StreamContext.create(guest, host, () => this.#living.streamGone(guest));
  }

  get status(): PluginStatus {
    const { health } = this.#resources;
    return {
      name: this.name,
      breaker: health.breaker.state,
      breakerOpened: health.breaker.opened,
      failures: Object.fromEntries(health.failures),
      recycled: this.#living.recycled,
      sandboxes: this.#pool && {
        busy: this.#pool.pool.busy,
        idle: this.#pool.pool.idle,
        waiting: this.#pool.pool.waiting,
      },
      metrics: this.#resources.metrics.snapshot(),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { host, log } = this.#resources;
    this.#pool?.pool.close();
    this.#living.close(() => this.#scopes.release(host.vmId));
    log.flush();
  }

  #unavailable(why: string): GatewayError {
    return new GatewayError("FILTER_UNAVAILABLE", `Cannot run plugin "${this.name}": ${why}`);
  }
}
