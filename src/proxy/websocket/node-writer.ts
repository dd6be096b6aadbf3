import type { Tunnel } from "../../upstream/message.ts";
import { FrameQueue } from "./frames.ts";

/**
 * Writes queued frames to the node, as fast as the node takes them.
 *
 * A broken tunnel is not reported here: its read() ends too, and what the node has sent before it
 * broke is still to be delivered. Until then frames for the node are dropped.
 */
export class NodeWriter {
  readonly frames = new FrameQueue();
  readonly #tunnel: Tunnel;
  readonly #onProgress: () => void;
  #isWriting = false;
  #written: PromiseWithResolvers<void> | undefined;

  /** @param onProgress called whenever the node has taken some bytes */
  constructor(tunnel: Tunnel, onProgress: () => void) {
    this.#tunnel = tunnel;
    this.#onProgress = onProgress;
  }

  /** To be called when frames have been queued. */
  flush(): void {
    if (!this.#isWriting) void this.#write();
  }

  /** Resolves when nothing is queued any more. */
  async whenWritten(): Promise<void> {
    if (!this.#isWriting) return;
    this.#written ??= Promise.withResolvers();
    await this.#written.promise;
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      for (;;) {
        const chunk = this.frames.take();
        if (chunk === undefined) break;
        await this.#writeChunk(chunk);
      }
    } catch {
      this.frames.clear();
    }
    this.#isWriting = false;
    this.#written?.resolve();
    this.#written = undefined;
  }

  /** In slices, so that a slow node shows progress inside a large message. */
  async #writeChunk(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) {
      await this.#tunnel.write(chunk.subarray(at, at + SLICE_BYTES));
      this.#onProgress();
    }
  }
}

const SLICE_BYTES = 256 * 1024;
