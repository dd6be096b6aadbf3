import { LazyDeadline } from "../../../base/lazy-deadline.ts";
import type { ClientSocket } from "./client-channel.ts";

/**
 * A client's socket until its TLS handshake is through: Bun tells of it as soon as TCP's is, and
 * until then nothing can be read or written, an answer neither.
 */
export class Handshake {
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

  /** Breaks it off: half of one cannot be ended properly. Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.onClose();
    this.#socket.terminate();
  }

  // What else a socket tells a connection means nothing yet.

  onData(): void {}

  onDrain(): void {}

  onEnd(): void {}
}
