import { GatewayError } from "../../base/errors.ts";
import type { FilterHost, HttpFilter } from "../../filter/filter.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { SandboxPool } from "../../wasm/sandbox/pool.ts";
import { StreamContext } from "./context.ts";
import { copyGuest, type GuestImage } from "./guest-image.ts";
import type { Guest } from "./guest.ts";
import type { PluginResources } from "./resources.ts";
import { PluginRefused, startGuest } from "./start.ts";

/**
 * The guests of a plugin under `instances: per_request`: each serves one exchange and is put back
 * to the image. Where there is no image, each is started for its exchange and thrown away.
 */
export class GuestPool {
  readonly pool: SandboxPool<Guest>;
  readonly #resources: PluginResources;

  /** @throws what starting or copying a guest throws, for the warm ones */
  constructor(module: LoadedModule, resources: PluginResources, image: GuestImage | undefined) {
    this.#resources = resources;
    this.pool = new SandboxPool<Guest>(resources.settings.pool, {
      make: () =>
        image === undefined
          ? startAnew(module, resources)
          : copyGuest(module, resources, image, false),
      reset: (guest) => image !== undefined && guest.restore(image.root),
      drop: (guest) => {
        guest.stop(overloaded(resources, "its sandbox is gone"));
        guest.sandbox.discard();
      },
      overloaded: (why) => overloaded(resources, why),
    });
  }

  /**
   * @returns a filter in a clean sandbox; a promise of one when all are busy
   * @throws GatewayError FILTER_OVERLOADED; or that of the guest when it fails already now
   */
  createFilter(host: FilterHost): HttpFilter | Promise<HttpFilter> {
    const guest = this.pool.acquire();
    if (!(guest instanceof Promise)) return this.#begin(guest, host);
    return guest.then((waited) => this.#begin(waited, host));
  }

  #begin(guest: Guest, host: FilterHost): HttpFilter {
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.pool.release(guest);
    };
    try {
      this.#seed(guest);
      return StreamContext.create(guest, host, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Randomness that was drawn before the capture is the same in every copy. */
  #seed(guest: Guest): void {
    const { seed, limits } = this.#resources.settings;
    const draw = seed === undefined ? undefined : guest.exports[seed];
    if (seed !== undefined && draw !== undefined) {
      const time = { ms: limits.deadlineMs, word: "limits.deadline" };
      guest.enter(seed, undefined, () => draw(), time);
    }
  }
}

/** @throws PluginRefused; what has not been a failure of a call counts as one of the start */
function startAnew(module: LoadedModule, resources: PluginResources): Guest {
  try {
    return startGuest(module, resources, false);
  } catch (error) {
    const isCounted = error instanceof PluginRefused && error.cause instanceof GatewayError;
    if (!isCounted) resources.health.failed("start");
    throw error;
  }
}

function overloaded(resources: PluginResources, why: string): GatewayError {
  const { name } = resources.host;
  return new GatewayError("FILTER_OVERLOADED", `Cannot run plugin "${name}": ${why}`);
}
