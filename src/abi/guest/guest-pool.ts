import { GatewayError } from "../../base/errors.ts";
import type { FilterHost, HttpFilter } from "../../filter/filter.ts";
import { SandboxPool } from "../../wasm/sandbox/pool.ts";
import type { GuestCore, GuestResources } from "./guest-core.ts";
import { copyGuest, type GuestImage } from "./guest-image.ts";
import { type GuestKind, type GuestOwner, PluginRefused } from "./guest-kind.ts";

/**
 * Begins an exchange in a guest.
 * @param owner is told when the guest is done with it; also when this throws
 */
export type BeginFilter<G> = (guest: G, host: FilterHost, owner: GuestOwner<G>) => HttpFilter;

/**
 * The guests of a plugin under `instances: per_request`: each serves one exchange and is put back
 * to the image. Where there is no image, each is started for its exchange and thrown away.
 */
export class GuestPool<State, G extends GuestCore<State>> implements GuestOwner<G> {
  readonly pool: SandboxPool<G>;
  readonly #resources: GuestResources;
  readonly #beginFilter: BeginFilter<G>;

  /** @throws what starting or copying a guest throws, for the warm ones */
  constructor(
    kind: GuestKind<G>,
    resources: GuestResources,
    image: GuestImage<State> | undefined,
    beginFilter: BeginFilter<G>,
  ) {
    this.#resources = resources;
    this.#beginFilter = beginFilter;
    this.pool = new SandboxPool<G>(resources.settings.pool, {
      make: () =>
        image === undefined ? startAnew(kind, resources) : copyGuest(kind, image, false),
      reset: (guest) => image !== undefined && guest.restore(image.state),
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

  filterGone(guest: G): void {
    this.pool.release(guest);
  }

  #begin(guest: G, host: FilterHost): HttpFilter {
    try {
      this.#seed(guest);
    } catch (error) {
      this.pool.release(guest);
      throw error;
    }
    return this.#beginFilter(guest, host, this);
  }

  /** Randomness that was drawn before the capture is the same in every copy. */
  #seed(guest: G): void {
    const { seed, limits } = this.#resources.settings;
    const draw = seed === undefined ? undefined : guest.exports[seed];
    if (seed !== undefined && draw !== undefined) {
      const time = { ms: limits.deadlineMs, word: "limits.deadline" };
      guest.enter(seed, undefined, () => draw(), time);
    }
  }
}

/** @throws PluginRefused; what has not been a failure of a call counts as one of the start */
function startAnew<G>(kind: GuestKind<G>, resources: GuestResources): G {
  try {
    return kind.start(false);
  } catch (error) {
    const isCounted = error instanceof PluginRefused && error.cause instanceof GatewayError;
    if (!isCounted) resources.health.failed("start");
    throw error;
  }
}

function overloaded(resources: GuestResources, why: string): GatewayError {
  const { name } = resources.host;
  return new GatewayError("FILTER_OVERLOADED", `Cannot run plugin "${name}": ${why}`);
}
