import type { Socket, TCPSocketListener } from "bun";
import {
  FLAG,
  frame,
  GRPC_HEAD,
  head,
  TYPE,
  u32,
} from "../../src/upstream/grpc/raw-http2.testing.ts";

const PREFACE_BYTES = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
const FRAME_HEAD_BYTES = 9;
const LAST = FLAG.endHeaders | FLAG.endStream;
const NOTHING = new Uint8Array();

/** What has come and is not read yet. */
interface Peer {
  received: Buffer;
  greeted: boolean;
}

/**
 * A node of gRPC that does something else with each stream: it answers as it should, not at all,
 * too much, in the middle of something, or with what is no HTTP/2. The streams of one connection
 * share what becomes of it.
 */
export class HostileGrpcNode implements AsyncDisposable {
  streams = 0;
  readonly #listener: TCPSocketListener<Peer>;

  constructor() {
    this.#listener = Bun.listen<Peer>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = { received: Buffer.alloc(0), greeted: false };
        },
        data: (socket, bytes) => {
          socket.data.received = Buffer.concat([socket.data.received, bytes]);
          this.#serve(socket);
        },
        error: () => {},
      },
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.stop(true);
    return Promise.resolve();
  }

  #serve(socket: Socket<Peer>): void {
    const peer = socket.data;
    if (!peer.greeted) {
      if (peer.received.byteLength < PREFACE_BYTES) return;
      peer.greeted = true;
      peer.received = peer.received.subarray(PREFACE_BYTES);
      socket.write(frame(TYPE.settings, 0, 0, NOTHING));
    }
    for (;;) {
      if (peer.received.byteLength < FRAME_HEAD_BYTES) return;
      const end = FRAME_HEAD_BYTES + peer.received.readUIntBE(0, 3);
      if (peer.received.byteLength < end) return;
      const [type, flags = 0] = peer.received.subarray(3, 5);
      const stream = peer.received.readUInt32BE(5);
      if (type === TYPE.settings && (flags & FLAG.ack) === 0) {
        socket.write(frame(TYPE.settings, FLAG.ack, 0, NOTHING));
      }
      peer.received = peer.received.subarray(end);
      // What the socket does not take at once is lost: one more thing that a node may do.
      if (type === TYPE.headers) this.#misbehave(socket, stream);
    }
  }

  #misbehave(socket: Socket<Peer>, stream: number): void {
    const behaviour = BEHAVIOURS[this.streams++ % BEHAVIOURS.length];
    const bytes = behaviour?.(stream);
    if (bytes === undefined) socket.terminate();
    else socket.write(Buffer.concat(bytes));
  }
}

const begin = (id: number): Buffer => head(id, GRPC_HEAD);
const message = (id: number, text: string): Buffer =>
  frame(TYPE.data, 0, id, Buffer.from(`\0\0\0\0${String.fromCharCode(text.length)}${text}`));
const end = (id: number, status = "0"): Buffer => head(id, [["grpc-status", status]], LAST);
const many = (count: number, part: Buffer): Buffer[] => Array<Buffer>(count).fill(part);
const WINDOW_UPDATE = 8;

/** Bytes in answer to a stream; undefined: the connection is broken. */
const BEHAVIOURS: readonly ((id: number) => readonly Buffer[] | undefined)[] = [
  (id) => [begin(id), message(id, "yes"), end(id)],
  () => [],
  (id) => [begin(id)],
  (id) => [end(id, "7")],
  (id) => [begin(id), ...many(5000, message(id, "")), end(id)],
  (id) => [begin(id), ...many(500, message(id, "flood".repeat(20)))],
  (id) => [begin(id), frame(TYPE.data, 0, id, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]))],
  (id) => [begin(id), frame(TYPE.data, 0, id, Buffer.from([1, 0, 0, 0, 1, 1])), end(id)],
  (id) => [begin(id), message(id, "cut").subarray(0, 12)],
  (id) => [message(id, "before the head"), begin(id), end(id)],
  (id) => [begin(id), begin(id), end(id)],
  (id) => [frame(TYPE.reset, 0, id, u32(7))],
  (id) => [frame(TYPE.goaway, 0, 0, u32(id, 0))],
  (id) => [frame(TYPE.goaway, 0, 0, u32(0, 11)), begin(id), end(id)],
  (id) => [
    head(id, GRPC_HEAD, 0),
    ...many(2000, frame(TYPE.continuation, 0, id, Buffer.alloc(500))),
  ],
  (id) => [...many(1000, frame(TYPE.ping, 0, 0, Buffer.alloc(8))), begin(id), end(id)],
  (id) => [...many(1000, frame(TYPE.settings, 0, 0, NOTHING)), begin(id), end(id)],
  (id) => many(2, frame(WINDOW_UPDATE, 0, id, u32(0x7fff_ffff))),
  (id) => [
    head(
      id,
      many(60, Buffer.alloc(0)).map((_, n) => [`x-${n}`, "y".repeat(120)] as const),
    ),
  ],
  (id) => [
    head(id, [
      [":status", "200"],
      ["content-type", "text/html"],
    ]),
    end(id),
  ],
  () => [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  () => undefined,
];
