import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { GatewayError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { GuestCore, GuestResources } from "./guest-core.ts";
import { captureGuest, copyGuest, type GuestImage } from "./guest-image.ts";
import type { GuestKind, GuestOwner } from "./guest-kind.ts";

/**
 * A plugin's long-lived guest: the one that gets ticks and queues, and under `instances: shared`
 * also serves every exchange.
 *
 *   start ─▶ capture ─▶ serve ──fails──▶ put back to the image, or started again when there is none
 *                         └ grows beyond limits.recycle ─▶ a copy takes over, the old one drains
 *
 * A start that fails is tried LIMITS.guestStartFailuresMax times in a row, and then not more often
 * than LIMITS.guestStartPauseMs allows.
 */
export class LivingGuest<State, G extends GuestCore<State>> implements GuestOwner<G> {
  /** undefined: it cannot be captured, so it is started again after a failure. */
  readonly image: GuestImage<State> | undefined;
  readonly #kind: GuestKind<G>;
  readonly #resources: GuestResources;
  readonly #nowMs: () => number;
  readonly #retiring = new Set<G>();
  /** It has asked for ticks, or receives from a queue, as it comes out of its start. */
  readonly #hasEvents: boolean;
  /** limits.recycle, or what a fresh guest has: replacing one by another as large is no help. */
  readonly #recyclePages: number;
  #guest: G;
  #startFailures = 0;
  #lastStartMs = 0;
  #revival: Deadline | undefined;
  #recycled = 0;
  #closed = false;

  /** @throws PluginRefused when the module, its start or its configuration is refused */
  constructor(kind: GuestKind<G>, resources: GuestResources, nowMs: () => number) {
    this.#kind = kind;
    this.#resources = resources;
    this.#nowMs = nowMs;
    this.#guest = kind.start(true);
    const { limits } = resources.settings;
    this.#recyclePages = Math.max(limits.recyclePages, this.#guest.sandbox.pages);
    const image = this.#capture();
    this.image = typeof image === "string" ? undefined : image;
    if (typeof image === "string") {
      const action = resources.settings.instances === "shared" ? "after a failure" : "each time";
      const instead = `it is started anew ${action}`;
      resources.log.tell("warn", `cannot be put back to its start (${image}): ${instead}`);
    }
    this.#hasEvents = this.#guest.hasEvents;
    this.#guest.onFailure = () => this.#reviveLater();
  }

  #capture(): GuestImage<State> | string {
    try {
      return captureGuest(this.#guest);
    } catch (error) {
      // The system has no memory for it, most likely; then there is none for the guest either.
      this.#guest.stop(this.#gone());
      this.#guest.sandbox.discard();
      throw error;
    }
  }

  /** As it is, usable or not. */
  get current(): G {
    return this.#guest;
  }

  /** How many guests have been replaced because they had grown. */
  get recycled(): number {
    return this.#recycled;
  }

  /**
   * A guest for another exchange.
   * @throws GatewayError FILTER_UNAVAILABLE when it has failed and cannot be started again
   */
  usable(): G {
    if (this.#guest.failure !== undefined) this.#revive(this.#guest.failure);
    else if (this.#guest.sandbox.hasGrownAbove(this.#recyclePages)) this.#recycle();
    return this.#guest;
  }

  /** When another guest has taken over, the last filter's end is that of the guest. */
  filterGone(guest: G): void {
    if (!this.#retiring.has(guest) || guest.callers > 0) return;
    this.#retiring.delete(guest);
    this.#kind.close(guest, this.#gone(), () => guest.sandbox.discard());
  }

  /** @param closed called once, when its root context has ended */
  close(closed: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#revival?.cancel();
    for (const guest of this.#retiring) guest.stop(this.#gone());
    const guest = this.#guest;
    this.#kind.close(guest, this.#gone(), () => {
      guest.sandbox.discard();
      this.image?.sandbox.memory.close();
      closed();
    });
  }

  /**
   * Its ticks and queues must come back also when no exchange asks for it. Where there are none,
   * the next exchange brings it back: a revival that nothing follows would be a breaker's one
   * trial, and never tell how it went.
   */
  #reviveLater(): void {
    if (this.#closed || this.#revival !== undefined || !this.#hasEvents) return;
    const { breaker } = this.#resources.health;
    this.#revival = deadlines.arm(breaker.retryInMs, () => {
      this.#revival = undefined;
      if (this.#closed || this.#guest.failure === undefined) return;
      if (!breaker.admit()) {
        this.#reviveLater();
        return;
      }
      try {
        this.#revive(this.#guest.failure);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        this.#reviveLater();
      }
    });
  }

  #revive(failure: GatewayError): void {
    if (this.image !== undefined && this.#guest.restore(this.image.state)) return;
    const now = this.#nowMs();
    const waitMs = this.#lastStartMs + LIMITS.guestStartPauseMs - now;
    if (this.#startFailures >= LIMITS.guestStartFailuresMax && waitMs > 0) {
      const times = `${this.#startFailures} starts in a row have failed`;
      throw this.#unavailable(`${times}, the next is in ${Math.ceil(waitMs)} ms`, failure);
    }
    this.#lastStartMs = now;
    try {
      this.#replace(this.#fresh());
      this.#startFailures = 0;
    } catch (error) {
      this.#startFailures++;
      this.#resources.health.failed("start");
      this.#resources.log.tell("error", `cannot be started again: ${messageOf(error)}`);
      throw this.#unavailable(messageOf(error), error);
    }
  }

  /** The old one serves its exchanges to their end; a few may do so at a time. */
  #recycle(): void {
    if (this.#retiring.size >= LIMITS.guestsRetiringMax) return;
    const old = this.#guest;
    const grown = `its memory has grown to ${old.sandbox.pages} pages of 64 KiB`;
    let next: G;
    try {
      next = this.#fresh();
    } catch (error) {
      const why = `${grown} and cannot be replaced: ${messageOf(error)}`;
      this.#resources.log.warnOnce("recycle", why);
      return;
    }
    this.#recycled++;
    const bound = `above limits.recycle or its start (${this.#recyclePages})`;
    this.#resources.log.tell("info", `${grown}, ${bound}: replaced`);
    old.retire();
    this.#retiring.add(old);
    this.#guest = next;
    next.onFailure = () => this.#reviveLater();
    this.filterGone(old);
  }

  #fresh(): G {
    if (this.image === undefined) return this.#kind.start(true);
    return copyGuest(this.#kind, this.image, true);
  }

  #replace(next: G): void {
    const old = this.#guest;
    this.#guest = next;
    next.onFailure = () => this.#reviveLater();
    old.stop(this.#gone());
    old.sandbox.discard();
  }

  #gone(): GatewayError {
    return new GatewayError("FILTER_FAILED", `Plugin "${this.#resources.host.name}" is closed`);
  }

  #unavailable(why: string, cause: unknown): GatewayError {
    return new GatewayError(
      "FILTER_UNAVAILABLE",
      `Cannot run plugin "${this.#resources.host.name}": ${why}`,
      { cause },
    );
  }
}
