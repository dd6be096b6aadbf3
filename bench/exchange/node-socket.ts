interface NodeHandlers {
  open(socket: NodeSocket): void;
  data(socket: NodeSocket, chunk: Uint8Array): void;
}

/** The gateway's side of a connection to a node that takes everything at once. */
export class NodeSocket {
  readonly data: unknown;
  readonly #handlers: NodeHandlers;
  readonly #asked: NodeSocket[];

  /** @param asked where it puts itself with every write */
  constructor(data: unknown, handlers: NodeHandlers, asked: NodeSocket[]) {
    this.data = data;
    this.#handlers = handlers;
    this.#asked = asked;
  }

  answer(bytes: Uint8Array): void {
    this.#handlers.data(this, bytes);
  }

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    this.#asked.push(this);
    return length;
  }

  end(): void {}
  pause(): void {}
  resume(): void {}
  terminate(): void {}
}

/**
 * While `open` runs, Bun.connect() gives NodeSockets.
 * @param asked those that have been written to
 */
export async function withNodeSockets<T>(
  asked: NodeSocket[],
  open: () => T | Promise<T>,
): Promise<T> {
  const real = Bun.connect;
  const fake = async (given: { data: unknown; socket: NodeHandlers }): Promise<NodeSocket> => {
    const socket = new NodeSocket(given.data, given.socket, asked);
    given.socket.open(socket);
    return socket;
  };
  Bun.connect = fake as unknown as typeof Bun.connect;
  try {
    return await open();
  } finally {
    Bun.connect = real;
  }
}
