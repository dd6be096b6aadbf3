import { NO_HEAD } from "../../../http/head-text.ts";
import type { Tunnel } from "../../../upstream/message.ts";
import type { ClientChannel } from "./client-channel.ts";

/**
 * Carries raw bytes between a client and a node after a 101, each way at the pace of its reader.
 *
 *   client ──▶ input ──write()──▶ tunnel      client ◀── output ◀──read()── tunnel
 *
 * A Tunnel cannot be half-closed: when one side has ended, the other one's bytes are still carried,
 * until it ends too or is silent for `halfClosedMs`.
 */
export class TunnelPump {
  readonly #channel: ClientChannel;
  readonly #tunnel: Tunnel;
  readonly #idleMs: number;
  readonly #halfClosedMs: number;
  /** Called once, unless close() came first: both ways are over, or one is broken. */
  readonly #onPumped: (error: unknown) => void;
  #state: "open" | "closed" = "open";
  /** The client has sent its FIN; its last bytes may still be in the input. */
  #clientEnded = false;
  #uploaded = false;
  #downloaded = false;
  #wakeUpload: (() => void) | undefined;
  #wakeDownload: (() => void) | undefined;

  /** @param idles idleMs: 0 is no bound; halfClosedMs: silence after one side has ended */
  constructor(
    channel: ClientChannel,
    tunnel: Tunnel,
    idles: { idleMs: number; halfClosedMs: number },
    onPumped: (error: unknown) => void,
  ) {
    this.#channel = channel;
    this.#tunnel = tunnel;
    this.#idleMs = idles.idleMs === 0 ? Infinity : idles.idleMs;
    this.#halfClosedMs = Math.min(this.#idleMs, idles.halfClosedMs);
    this.#onPumped = onPumped;
  }

  start(): void {
    this.#touch();
    this.#upload().catch((error: unknown) => this.#finish(error));
    this.#download().catch((error: unknown) => this.#finish(error));
  }

  /** The channel's input has grown. */
  onInput(): void {
    const wake = this.#wakeUpload;
    this.#wakeUpload = undefined;
    wake?.();
  }

  /** The client has sent its FIN. */
  onClientEnded(): void {
    this.#clientEnded = true;
    this.onInput();
  }

  /** The client has read. */
  onDrain(): void {
    if (this.#channel.output.waitingBytes > 0) return;
    const wake = this.#wakeDownload;
    this.#wakeDownload = undefined;
    wake?.();
  }

  /** Closes the tunnel and lets both ways end; idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#tunnel.close();
    this.#wakeUpload?.();
    this.#wakeDownload?.();
  }

  async #upload(): Promise<void> {
    const { input } = this.#channel;
    while (this.#state === "open") {
      const bytes = input.take(Infinity);
      if (bytes !== undefined) {
        this.#channel.balance();
        this.#touch();
        await this.#tunnel.write(bytes);
        continue;
      }
      if (this.#clientEnded) break;
      await new Promise<void>((resolve) => {
        this.#wakeUpload = resolve;
      });
    }
    this.#uploaded = true;
    this.#endWay();
  }

  async #download(): Promise<void> {
    const { output } = this.#channel;
    while (this.#state === "open") {
      const bytes = await this.#tunnel.read();
      if (bytes === undefined || this.#state !== "open") break;
      output.write(NO_HEAD, "", bytes, "");
      this.#touch();
      if (output.waitingBytes === 0) continue;
      this.#channel.block();
      await new Promise<void>((resolve) => {
        this.#wakeDownload = resolve;
      });
    }
    this.#downloaded = true;
    if (this.#state === "open") this.#channel.shutdown();
    this.#endWay();
  }

  #endWay(): void {
    if (this.#uploaded && this.#downloaded) this.#finish(undefined);
    else this.#touch();
  }

  #touch(): void {
    if (this.#state === "closed") return;
    const isHalf = this.#uploaded || this.#downloaded;
    this.#channel.expect(isHalf ? this.#halfClosedMs : this.#idleMs);
  }

  #finish(error: unknown): void {
    if (this.#state === "closed") return;
    this.close();
    this.#onPumped(error);
  }
}
