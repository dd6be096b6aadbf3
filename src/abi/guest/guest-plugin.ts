import { GatewayError } from "../../base/errors.ts";
import type {
  FilterHost,
  HttpFilter,
  Plugin,
  PluginMetric,
  PluginStatus,
} from "../../filter/filter.ts";
import type { GuestCore, GuestResources } from "./guest-core.ts";
import type { GuestKind } from "./guest-kind.ts";
import { type BeginFilter, GuestPool } from "./guest-pool.ts";
import { LivingGuest } from "./living-guest.ts";

/** What an ABI knows of its plugins. */
export interface PluginAbi<G> {
  readonly kind: GuestKind<G>;
  readonly resources: GuestResources;
  /** Monotonic clock. */
  readonly nowMs: () => number;
  /**
   * Looks at the first guest, which has been started.
   * @returns which CALLBACKs its filters want, and how one begins
   */
  open(first: G): { readonly callbacks: number; readonly begin: BeginFilter<G> };
  /** What the guests count themselves. */
  metrics(): readonly PluginMetric[];
  /** The last guest has ended, or the first could not be started; once. */
  closed(): void;
}

/** A configured plugin of either ABI: its long-lived guest, and the pool of its copies. */
export class GuestPlugin<State, G extends GuestCore<State>> implements Plugin {
  readonly name: string;
  readonly callbacks: number;
  readonly failOpen: boolean;
  readonly #abi: PluginAbi<G>;
  readonly #begin: BeginFilter<G>;
  readonly #living: LivingGuest<State, G>;
  /** With `instances: per_request`. */
  readonly #pool: GuestPool<State, G> | undefined;
  #closed = false;

  /** @throws PluginRefused when the module, its start or its configuration is refused */
  constructor(abi: PluginAbi<G>) {
    const { kind, resources, nowMs } = abi;
    this.#abi = abi;
    this.name = resources.host.name;
    this.failOpen = resources.host.failOpen;
    let living: LivingGuest<State, G> | undefined;
    try {
      living = new LivingGuest<State, G>(kind, resources, nowMs);
      const { callbacks, begin } = abi.open(living.current);
      this.callbacks = callbacks;
      this.#begin = begin;
      if (resources.settings.instances === "per_request") {
        this.#pool = new GuestPool(kind, resources, living.image, begin);
      }
    } catch (error) {
      if (living === undefined) abi.closed();
      else living.close(() => abi.closed());
      throw error;
    }
    this.#living = living;
  }

  createFilter(host: FilterHost): HttpFilter | Promise<HttpFilter> {
    if (this.#closed) throw this.#unavailable("it is closed");
    const { breaker } = this.#abi.resources.health;
    if (!breaker.admit()) {
      throw this.#unavailable(`its breaker is ${breaker.state}: it has failed too often`);
    }
    if (this.#pool !== undefined) return this.#pool.createFilter(host);
    const guest = this.#living.usable();
    return this.#begin(guest, host, this.#living);
  }

  get status(): PluginStatus {
    const { health } = this.#abi.resources;
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
      metrics: this.#abi.metrics(),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool?.pool.close();
    this.#living.close(() => this.#abi.closed());
    this.#abi.resources.log.flush();
  }

  #unavailable(why: string): GatewayError {
    return new GatewayError("FILTER_UNAVAILABLE", `Cannot run plugin "${this.name}": ${why}`);
  }
}
