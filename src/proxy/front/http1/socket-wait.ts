import { LazyDeadline } from "../../../base/lazy-deadline.ts";
import type { ClientSocket } from "./client-channel.ts";

/**
 * A socket while it is no connection that could ask or be answered: it has some time to become one,
 * or to go. What it tells meanwhile means nothing.
 */
export abstract class SocketWait {
  readonly #socket: Pick<ClientSocket, "terminate">;
  readonly #deadline: LazyDeadline;
  readonly #onOver: () => void;
  #isOver = false;

  /** @param onOver once, however it has ended */
  constructor(socket: Pick<ClientSocket, "terminate">, afterMs: number, onOver: () => void) {
    this.#socket = socket;
    this.#onOver = onOver;
    this.#deadline = new LazyDeadline(() => this.close());
    this.#deadline.set(afterMs);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It is through, or the socket has gone. Idempotent. */
  onClose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline.close();
    this.#onOver();
  }

  /** Breaks it off. Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.onClose();
    this.#socket.terminate();
  }

  onData(): void {}

  onDrain(): void {}

  onEnd(): void {}
}
