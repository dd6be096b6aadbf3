import { type Telling, Turns, type TurnTaking } from "../../base/turns.ts";
import { StoreRefusal } from "../../shm/store-refusal.ts";
import type { NamedStore, Stores } from "../../shm/stores.ts";

/** Who is told of items, from the event loop. */
export interface Receiver {
  /** False while it cannot be told of anything; it wakes its queues when it can again. */
  readonly isReady: boolean;
  /** Once for every item that is still there. */
  tell(queueId: number): void;
}

/** Ids: the store's number, and in it the queue's, which has 7 bits. */
const QUEUES_PER_STORE = 128;

/**
 * A queue of bytes in a store; whoever registered it last is told of what comes in. This object is
 * this process's end of it: which guests of this process have registered.
 */
export class SharedQueue implements Telling {
  readonly id: number;
  readonly #named: NamedStore;
  readonly #index: number;
  /** Who has registered and is still there; the last one is told, if this process is. */
  readonly #receivers: { readonly receiver: Receiver; readonly order: number }[] = [];
  #isWaiting = false;
  #mustHandOver = false;
  readonly #around: { readonly turns: TurnTaking; readonly wake: (serial: number) => void };

  constructor(
    named: NamedStore,
    index: number,
    around: { readonly turns: TurnTaking; readonly wake: (serial: number) => void },
  ) {
    this.id = named.number * QUEUES_PER_STORE + index;
    this.#named = named;
    this.#index = index;
    this.#around = around;
  }

  get vmId(): string {
    return this.#named.vmId;
  }

  get hasReceivers(): boolean {
    return this.#receivers.length > 0;
  }

  /**
   * From now on it is the one that is told, of what waits there too.
   * @returns false when there are too many processes that want to be
   * @throws StoreRefusal, as the calls below
   */
  receive(receiver: Receiver): boolean {
    const order = this.#named.store.receive(this.#index);
    if (order === undefined) return false;
    this.#remove(receiver);
    this.#receivers.push({ receiver, order });
    this.wake();
    return true;
  }

  /**
   * It is gone, and whoever registered before it is told again: a new generation's plugin takes a
   * queue over while it is being built, and must give it back when it never gets to serve.
   */
  leave(receiver: Receiver): void {
    const before = this.#order;
    this.#remove(receiver);
    if (this.#order !== before) this.#handOver();
  }

  /** When this process's last one has registered; 0: it has none. */
  get #order(): number {
    return this.#receivers.at(-1)?.order ?? 0;
  }

  #handOver(): void {
    this.#mustHandOver = false;
    try {
      this.#around.wake(this.#named.store.keepReceiving(this.#index, this.#order));
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error;
      this.#mustHandOver = true; // look() tries again.
    }
  }

  enqueue(item: Uint8Array): void {
    this.#around.wake(this.#named.store.enqueue(this.#index, item));
  }

  dequeue(): Uint8Array | undefined {
    return this.#named.store.dequeue(this.#index);
  }

  /** There may be items to tell of: later, from the event loop. */
  wake(): void {
    if (this.#isWaiting || !this.hasReceivers) return;
    this.#isWaiting = true;
    this.#around.turns.add(this);
  }

  /** For once in a while: a message may have been lost with who was to send it. */
  look(): void {
    if (this.#mustHandOver) this.#handOver();
    if (this.hasReceivers && this.#named.store.hasUntold(this.#index)) this.wake();
  }

  tell(): boolean {
    this.#isWaiting = false;
    const receiver = this.#receivers.at(-1)?.receiver;
    if (receiver?.isReady === false) return false; // What it is told now would be lost.
    try {
      const { store } = this.#named;
      if (!store.claim(this.#index)) return false;
      receiver?.tell(this.id);
      this.#isWaiting = this.hasReceivers && store.hasUntold(this.#index);
    } catch (error) {
      // look() comes back to it.
      if (!(error instanceof StoreRefusal)) throw error;
    }
    return this.#isWaiting;
  }

  #remove(receiver: Receiver): void {
    const at = this.#receivers.findIndex((each) => each.receiver === receiver);
    if (at >= 0) this.#receivers.splice(at, 1);
  }
}

/** The queues of all stores that this process knows; a name belongs to a VM id. */
export class SharedQueues {
  readonly #stores: Stores;
  readonly #turns: Turns;
  /** Those that were asked for; at most LIMITS.sharedQueuesMax of each store. */
  readonly #queues = new Map<number, SharedQueue>();
  /** Has another process, by its serial number, call wake() with that id. */
  wakeOthers: (serial: number, queueId: number) => void = () => {};

  /** @param nowMs see QueueTurns */
  constructor(stores: Stores, nowMs?: () => number) {
    this.#stores = stores;
    this.#turns = new Turns(nowMs);
  }

  /**
   * @returns the queue of that name, made when it is new; undefined when the VM has too many
   * @throws StoreRefusal, as the calls below
   */
  register(vmId: string, name: Uint8Array): SharedQueue | undefined {
    const named = this.#stores.find(vmId);
    const index = named?.store.makeQueue(name);
    return named === undefined || index === undefined ? undefined : this.#at(named, index);
  }

  resolve(vmId: string, name: Uint8Array): SharedQueue | undefined {
    const named = this.#stores.find(vmId);
    const index = named?.store.findQueue(name);
    return named === undefined || index === undefined ? undefined : this.#at(named, index);
  }

  get(id: number): SharedQueue | undefined {
    const known = this.#queues.get(id);
    if (known !== undefined) return known;
    const number = Math.floor((id >>> 0) / QUEUES_PER_STORE);
    const index = (id >>> 0) % QUEUES_PER_STORE;
    for (const named of this.#stores.all()) {
      if (named.number !== number) continue;
      return named.store.hasQueue(index) ? this.#at(named, index) : undefined;
    }
    return undefined;
  }

  /** There may be items to tell of. */
  wake(id: number): void {
    this.#queues.get(id)?.wake();
  }

  /** Looks for what nobody has said: messages can be lost when a process dies. */
  look(): void {
    for (const queue of this.#queues.values()) queue.look();
  }

  /** A process has ended that may have been told of items: who is next? */
  bury(): void {
    this.#inStores((store) => store.bury());
    this.look();
  }

  /** A call of a guest has ended with an exception, perhaps in the middle of a change. */
  settle(): void {
    this.#inStores((store) => store.settle());
  }

  forgetClosed(): void {
    const open = new Set<number>();
    for (const { number } of this.#stores.all()) open.add(number);
    for (const id of this.#queues.keys()) {
      if (!open.has(Math.floor(id / QUEUES_PER_STORE))) this.#queues.delete(id);
    }
  }

  #inStores(work: (store: NamedStore["store"]) => void): void {
    for (const { opened } of this.#stores.all()) {
      if (opened === undefined) continue;
      try {
        work(opened);
      } catch (error) {
        // Whoever has it does the same sooner or later.
        if (!(error instanceof StoreRefusal)) throw error;
      }
    }
  }

  #at(named: NamedStore, index: number): SharedQueue {
    const id = named.number * QUEUES_PER_STORE + index;
    let queue = this.#queues.get(id);
    if (queue === undefined) {
      const wake = (serial: number): void => this.#wake(serial, id);
      queue = new SharedQueue(named, index, { turns: this.#turns, wake });
      this.#queues.set(id, queue);
    }
    return queue;
  }

  #wake(serial: number, id: number): void {
    if (serial === this.#stores.serial) this.wake(id);
    else if (serial !== 0) this.wakeOthers(serial, id);
  }
}
