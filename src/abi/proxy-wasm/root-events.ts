import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { LIMITS } from "../../base/limits.ts";
import { StoreRefusal } from "../../shm/store-refusal.ts";
import type { GuestLog } from "../guest/guest-log.ts";
import type { PluginResources } from "./resources.ts";
import { type DeclaredState, RootDeclarations } from "./root-declarations.ts";
import type { Receiver } from "./shared-queues.ts";
import { Tick } from "./tick.ts";
import type { VmScope } from "./vm-scope.ts";

/** What a root context has asked for: a part of the state that is captured. */
export interface RootState {
  /** 0: no ticks. */
  readonly tickMs: number;
  /** Ids of the shared queues that it is told of. */
  readonly received: ReadonlySet<number>;
  /** Ids of the queues of others that it may use. */
  readonly resolved: ReadonlySet<number>;
  readonly declared: DeclaredState;
}

/**
 * The events of one guest's root context: its tick, and items in the queues that it has registered.
 * Of several copies of a guest only one gets them; the others may ask, and nothing comes of it.
 */
export class RootEvents {
  readonly isDelivered: boolean;
  /** No events, but as long-lived, and captured with them. */
  readonly declared = new RootDeclarations();
  readonly #scope: VmScope;
  readonly #log: GuestLog;
  readonly #tick: Tick;
  readonly #received = new Set<number>();
  /** Queues that it has to register for again, as soon as their store can be used. */
  readonly #delayed = new Map<number, Deadline>();
  readonly #resolved = new Set<number>();
  readonly #receiver: Receiver;
  #ended = false;

  constructor(
    isDelivered: boolean,
    { scope, log, host }: Pick<PluginResources, "scope" | "log" | "host">,
    deliver: (name: "proxy_on_tick" | "proxy_on_queue_ready", queueId?: number) => void,
    isReady: () => boolean,
  ) {
    this.isDelivered = isDelivered;
    this.#scope = scope;
    this.#log = log;
    this.#tick = new Tick(() => {
      if (host.mayTick) deliver("proxy_on_tick");
    });
    this.#receiver = {
      get isReady() {
        return isReady();
      },
      tell: (queueId) => deliver("proxy_on_queue_ready", queueId),
    };
  }

  /** @param periodMs 0 stops it */
  setTick(periodMs: number): void {
    if (this.#ended) return;
    if (this.isDelivered) this.#tick.set(periodMs);
    else if (periodMs > 0) this.#log.warnOnce("copy's tick", NO_TICK);
  }

  /**
   * From now on this guest is the one that is told of the queue's items.
   * @returns false when there are too many that want to be
   * @throws StoreRefusal
   */
  receive(queueId: number): boolean {
    const queue = this.#scope.queues.get(queueId);
    if (!this.isDelivered || this.#ended || queue === undefined) return true;
    if (!queue.receive(this.#receiver)) return false;
    this.#received.add(queueId);
    return true;
  }

  /** It has found that queue of another VM by its name. */
  resolve(queueId: number): void {
    this.#resolved.add(queueId);
  }

  hasResolved(queueId: number): boolean {
    return this.#resolved.has(queueId);
  }

  get state(): RootState {
    return {
      tickMs: this.#tick.periodMs,
      received: new Set(this.#received),
      resolved: new Set(this.#resolved),
      declared: this.declared.state,
    };
  }

  /** Makes it what it was when the state was taken, in this guest or in another one. */
  adopt(state: RootState): void {
    this.declared.adopt(state.declared);
    // Walks over what most guests have none of would be a third of putting one back.
    if (this.#resolved.size + state.resolved.size > 0) this.#resolveOnly(state.resolved);
    if (this.#delayed.size > 0) this.#forgetDelayed();
    if (this.#received.size + state.received.size > 0) this.#receiveOnly(state.received);
    this.#tick.stop();
    if (this.isDelivered) this.#tick.set(state.tickMs);
  }

  /** No more ticks. Queues go on: what they have to tell waits until it is adopted again. */
  stop(): void {
    this.#tick.stop();
    this.#scope.queues.settle();
  }

  /** Nothing more for ever, whatever the guest still asks for: another one has taken over. */
  end(): void {
    this.#ended = true;
    this.stop();
    this.#forgetDelayed();
    for (const id of this.#received) this.#stopReceiving(id);
  }

  #resolveOnly(resolved: ReadonlySet<number>): void {
    this.#resolved.clear();
    for (const id of resolved) this.#resolved.add(id);
  }

  #receiveOnly(received: ReadonlySet<number>): void {
    for (const id of this.#received) if (!received.has(id)) this.#stopReceiving(id);
    // Who has registered after it keeps what it has taken over.
    for (const id of received) {
      if (this.#received.has(id)) this.#scope.queues.wake(id);
      else this.#receiveAgain(id);
    }
  }

  #receiveAgain(queueId: number): void {
    this.#delayed.delete(queueId);
    try {
      this.receive(queueId);
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error;
      this.#log.warnOnce(error.code, `${error.message} [${error.code}]`);
      const again = (): void => this.#receiveAgain(queueId);
      this.#delayed.set(queueId, deadlines.arm(LIMITS.sharedLockMsMax, again));
    }
  }

  #forgetDelayed(): void {
    for (const deadline of this.#delayed.values()) deadline.cancel();
    this.#delayed.clear();
  }

  #stopReceiving(queueId: number): void {
    this.#received.delete(queueId);
    this.#scope.queues.get(queueId)?.leave(this.#receiver);
  }
}

const NO_TICK =
  "proxy_set_tick_period_milliseconds has no effect in an exchange under instances: per_request; " +
  "set it in proxy_on_configure, where it belongs to the plugin's long-lived guest";
