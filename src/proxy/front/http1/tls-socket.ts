import type { ClientSocket } from "./client-channel.ts";

/** What a connection has of a TLS socket: the same, but that its end can take a while. */
export class TlsSocket implements ClientSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly #socket: ClientSocket;
  readonly #onUnsent: () => void;

  /** @param onUnsent end() could not be sent: the system takes nothing until the client has read */
  constructor(socket: ClientSocket, onUnsent: () => void) {
    this.#socket = socket;
    this.#onUnsent = onUnsent;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.localAddress = socket.localAddress;
    this.localPort = socket.localPort;
  }

  write(bytes: Uint8Array, byteOffset?: number, byteLength?: number): number {
    return this.#socket.write(bytes, byteOffset, byteLength);
  }

  end(): number {
    if (!endTls(this.#socket)) this.#onUnsent();
    return 0;
  }

  shutdown(): void {
    this.#socket.shutdown();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

const NOTHING = new Uint8Array(0);

/**
 * Closes a socket of TLS behind its close_notify, and does not wait for the client's answer to it,
 * as end() alone would, for ever.
 * @returns false when the close_notify could not be sent yet: nothing is closed, and after end()
 *   nothing could close it any more but the client
 */
export function endTls(socket: Pick<ClientSocket, "end" | "shutdown" | "write">): boolean {
  socket.shutdown();
  // Nothing can be written when it has been sent (-1); until then, nothing of nothing is (0).
  if (socket.write(NOTHING) >= 0) return false;
  socket.end();
  return true;
}
