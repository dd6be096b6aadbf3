import { type Peer, RawNode } from "../testing.ts";

/** An HTTP/2 node, frame by frame, that does what no server library does. For tests only. */

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;
export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const start = Buffer.alloc(9);
  start.writeUIntBE(payload.byteLength, 0, 3);
  start[3] = type;
  start[4] = flags;
  start.writeUInt32BE(stream, 5);
  return Buffer.concat([start, payload]);
}

export function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * at);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
}

/** A header block of literals; names and values below 127 bytes. */
export function block(lines: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    lines.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** HEADERS of an answer. */
export function head(
  stream: number,
  lines: readonly (readonly [string, string])[],
  flags: number = FLAG.endHeaders,
): Buffer {
  return frame(TYPE.headers, flags, stream, block(lines));
}

export const GRPC_HEAD = [
  [":status", "200"],
  ["content-type", "application/grpc+proto"],
] as const;

export interface RawHttp2Options {
  /** What SETTINGS_MAX_CONCURRENT_STREAMS says; undefined: nothing. */
  readonly streamsMax?: number;
  readonly answersPings?: boolean;
  /** For each stream that the other side resets. */
  readonly onReset?: (stream: number, code: number) => void;
  /** For each stream that is opened. */
  readonly opened: (peer: Peer, stream: number) => Promise<void> | void;
}

export function rawHttp2(options: RawHttp2Options): RawNode {
  const { streamsMax, answersPings = true, onReset, opened } = options;
  return new RawNode(async (peer) => {
    const limit = streamsMax === undefined ? Buffer.alloc(0) : setting(3, streamsMax);
    await peer.receives("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await peer.send(frame(TYPE.settings, 0, 0, limit));
    for (;;) {
      const bytes = Buffer.from(await peer.bytes(9), "latin1");
      const payload = Buffer.from(await peer.bytes(bytes.readUIntBE(0, 3)), "latin1");
      const [type, flags, stream] = [bytes[3], bytes[4] ?? 0, bytes.readUInt32BE(5)];
      const isAck = (flags & FLAG.ack) !== 0;
      if (type === TYPE.settings && !isAck) {
        await peer.send(frame(TYPE.settings, FLAG.ack, 0, Buffer.alloc(0)));
      }
      if (type === TYPE.ping && !isAck && answersPings) {
        await peer.send(frame(TYPE.ping, FLAG.ack, 0, payload));
      }
      if (type === TYPE.reset) onReset?.(stream, payload.readUInt32BE(0));
      if (type === TYPE.headers) await opened(peer, stream);
    }
  });
}

function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, id]), u32(value)]);
}
