import type { ClientSocket } from "../../src/proxy/front/http1/client-channel.ts";

/** A client that takes everything at once. */
export class FakeClientSocket implements ClientSocket {
  readonly remoteAddress: string = "127.0.0.1";
  readonly remotePort: number = 40_000;
  readonly localAddress: string = "127.0.0.1";
  readonly localPort: number = 9080;
  sentBytes = 0;
  #last: Uint8Array = new Uint8Array(0);
  #lastOffset = 0;
  #lastLength = 0;

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    this.sentBytes += length;
    this.#last = bytes;
    this.#lastOffset = offset;
    this.#lastLength = length;
    return length;
  }

  /** Of the last write, latin-1; until another socket writes, since they share a buffer. */
  lastText(): string {
    const { buffer, byteOffset } = this.#last;
    const at = byteOffset + this.#lastOffset;
    return Buffer.from(buffer, at, this.#lastLength).toString("latin1");
  }

  end(): number {
    return 0;
  }

  terminate(): void {}
  shutdown(): void {}
  pause(): void {}
  resume(): void {}
}
