import { LazyDeadline } from "../../../base/lazy-deadline.ts";
import type { ClientSocket } from "./client-channel.ts";
import { endTls } from "./tls-socket.ts";

/**
 * A client's TLS socket after its last answer, while the end of TLS cannot be sent: the system has
 * taken the answer and takes nothing more until the client reads.
 */
export class Farewell {
  readonly #socket: Pick<ClientSocket, "end" | "shutdown" | "terminate" | "write">;
  readonly #deadline: LazyDeadline;
  readonly #onOver: () => void;
  #isOver = false;

  /** @param onOver once, however it has ended */
  constructor(socket: ClientSocket, afterMs: number, onOver: () => void) {
    this.#socket = socket;
    this.#onOver = onOver;
    this.#deadline = new LazyDeadline(() => this.close());
    this.#deadline.set(afterMs);
  }

  /** The client has read. */
  onDrain(): void {
    if (!this.#isOver && endTls(this.#socket)) this.onClose();
  }

  /** The socket has gone. Idempotent. */
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

  // What the client still says means nothing: it may go on reading.

  onData(): void {}

  onEnd(): void {}
}
