import type { ClientSocket } from "./client-channel.ts";
import { SocketWait } from "./socket-wait.ts";
import { endTls } from "./tls-socket.ts";

/**
 * A client's TLS socket after its last answer, while the end of TLS cannot be sent: the system has
 * taken the answer and takes nothing more until the client reads.
 */
export class Farewell extends SocketWait {
  readonly #client: Pick<ClientSocket, "end" | "shutdown" | "write">;

  /** @param onOver once, however it has ended */
  constructor(socket: ClientSocket, afterMs: number, onOver: () => void) {
    super(socket, afterMs, onOver);
    this.#client = socket;
  }

  /** The client has read. */
  override onDrain(): void {
    if (!this.isOver && endTls(this.#client)) this.onClose();
  }
}
