import { GatewayError } from "../../base/errors.ts";
import type {
  FilterHost,
  HttpFilter,
  Plugin,
  PluginHost,
  PluginStatus,
} from "../../filter/filter.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import type { GuestResources } from "../guest/guest-core.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { GuestPool } from "../guest/guest-pool.ts";
import { Health } from "../guest/health.ts";
import { LivingGuest } from "../guest/living-guest.ts";
import type { GuestSettings } from "../guest/settings.ts";
import { GuestExchange } from "./guest-exchange.ts";
import type { HttpWasmGuest, InitFeatures } from "./guest.ts";
import { type Needs, needsOf } from "./needs.ts";
import { guestKind } from "./start.ts";

/**
 * Starts a plugin: its long-lived guest, and with `instances: per_request` the pool of its copies.
 * @param nowMs monotonic clock, for tests
 * @throws PluginRefused when the module or its start is refused
 */
export function startHttpWasmPlugin(
  module: LoadedModule,
  host: PluginHost,
  settings: GuestSettings,
  nowMs: () => number = () => performance.now(),
): Plugin {
  return new HttpWasmPlugin(module, host, settings, nowMs);
}

class HttpWasmPlugin implements Plugin {
  readonly name: string;
  readonly callbacks: number;
  readonly failOpen: boolean;
  readonly #needs: Needs;
  readonly #resources: GuestResources;
  readonly #living: LivingGuest<InitFeatures, HttpWasmGuest>;
  readonly #pool: GuestPool<InitFeatures, HttpWasmGuest> | undefined;
  #closed = false;

  constructor(
    module: LoadedModule,
    host: PluginHost,
    settings: GuestSettings,
    nowMs: () => number,
  ) {
    this.name = host.name;
    this.failOpen = host.failOpen;
    const log = new GuestLog(host, nowMs);
    this.#resources = { host, log, settings, health: new Health(settings.breaker, log, nowMs) };
    const kind = guestKind(module, this.#resources);
    this.#living = new LivingGuest(kind, this.#resources, nowMs);
    this.#needs = needsOf(module.outline, this.#living.current.features);
    this.callbacks = this.#needs.callbacks;
    if (settings.instances !== "per_request") return;
    try {
      const { image } = this.#living;
      this.#pool = new GuestPool(kind, this.#resources, image, (guest, exchange, gone) =>
        this.#begin(guest, exchange, gone),
      );
    } catch (error) {
      this.#living.close(() => {});
      throw error;
    }
  }

  createFilter(host: FilterHost): HttpFilter | Promise<HttpFilter> {
    if (this.#closed) throw this.#unavailable("it is closed");
    const { breaker } = this.#resources.health;
    if (!breaker.admit()) {
      throw this.#unavailable(`its breaker is ${breaker.state}: it has failed too often`);
    }
    if (this.#pool !== undefined) return this.#pool.createFilter(host);
    const guest = this.#living.usable();
    return this.#begin(guest, host, () => this.#living.streamGone(guest));
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
      metrics: [],
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool?.pool.close();
    this.#living.close(() => {});
    this.#resources.log.flush();
  }

  #begin(guest: HttpWasmGuest, host: FilterHost, gone: () => void): GuestExchange {
    return new GuestExchange(guest, host, this.#needs, gone);
  }

  #unavailable(why: string): GatewayError {
    return new GatewayError("FILTER_UNAVAILABLE", `Cannot run plugin "${this.name}": ${why}`);
  }
}
