import { GatewayError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { FilterHost, HttpFilter, Plugin, PluginHost } from "../../filter/filter.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { StreamContext } from "./context.ts";
import { callbackBits } from "./exports.ts";
import type { Guest, PluginResources } from "./guest.ts";
import { GuestLog } from "./guest-log.ts";
import { Metrics } from "./metrics.ts";
import { startGuest } from "./start.ts";
import { closeGuest } from "./teardown.ts";
import { vmScopes } from "./vm-scope.ts";

export { PluginRefused } from "./start.ts";

/**
 * Starts a plugin: one guest that serves all its exchanges on this worker.
 * @param options.nowMs monotonic clock, for tests
 * @throws PluginRefused when the module, its start or its configuration is refused
 */
export function startPlugin(
  module: LoadedModule,
  host: PluginHost,
  options: { nowMs?: () => number } = {},
): Plugin {
  return new ProxyWasmPlugin(module, host, options.nowMs ?? (() => performance.now()));
}

/**
 * A guest that traps is replaced at the next exchange; one that cannot be started again is tried
 * LIMITS.guestStartFailuresMax times in a row and then not more often than the pause allows.
 */
class ProxyWasmPlugin implements Plugin {
  readonly name: string;
  readonly callbacks: number;
  readonly failOpen: boolean;
  readonly #module: LoadedModule;
  readonly #resources: PluginResources;
  readonly #nowMs: () => number;
  #guest: Guest;
  #closed = false;
  #startFailures = 0;
  #lastStartMs = 0;

  constructor(module: LoadedModule, host: PluginHost, nowMs: () => number) {
    this.name = host.name;
    this.failOpen = host.failOpen;
    this.#module = module;
    this.#nowMs = nowMs;
    this.#resources = {
      host,
      log: new GuestLog(host, nowMs),
      metrics: new Metrics(),
      scope: vmScopes.acquire(host.vmId),
    };
    try {
      this.#guest = startGuest(module, this.#resources);
    } catch (error) {
      vmScopes.release(host.vmId);
      throw error;
    }
    this.callbacks = callbackBits(this.#guest.exports);
  }

  createFilter(host: FilterHost): HttpFilter {
    if (this.#closed) throw this.#failed("it is closed");
    if (this.#guest.failure !== undefined) this.#restart(this.#guest.failure);
    return StreamContext.create(this.#guest, host);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { host, log } = this.#resources;
    closeGuest(this.#guest, this.#failed("it is closed"), () => vmScopes.release(host.vmId));
    log.flush();
  }

  #restart(failure: GatewayError): void {
    const now = this.#nowMs();
    const waitMs = this.#lastStartMs + LIMITS.guestStartPauseMs - now;
    if (this.#startFailures >= LIMITS.guestStartFailuresMax && waitMs > 0) {
      const times = `${this.#startFailures} starts in a row have failed`;
      throw this.#failed(`${times}, the next is in ${Math.ceil(waitMs)} ms`, failure);
    }
    this.#lastStartMs = now;
    try {
      this.#guest = startGuest(this.#module, this.#resources);
      this.#startFailures = 0;
    } catch (error) {
      this.#startFailures++;
      this.#resources.log.tell("error", `cannot be started again: ${messageOf(error)}`);
      throw this.#failed(messageOf(error), error);
    }
  }

  #failed(why: string, cause?: unknown): GatewayError {
    return new GatewayError("FILTER_FAILED", `Cannot run plugin "${this.name}": ${why}`, { cause });
  }
}
