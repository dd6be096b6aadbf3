import { messageOf } from "../base/errors.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { Answer, Front, Handler } from "../proxy/front/front.ts";
import { startHttp1Front } from "../proxy/front/http1/http1-front.ts";
import { startServeFront } from "../proxy/front/serve.ts";

/** The listeners of one worker, by address; a reload touches only those that it adds or drops. */
export class Fronts {
  readonly #open = new Map<string, Front>();
  /** Closed to new connections, with requests still in flight. */
  readonly #stopping = new Set<Promise<void>>();
  readonly #handle: Handler;
  readonly #refuse: (error: unknown) => Answer;

  constructor(options: { handle: Handler; refuse: (error: unknown) => Answer }) {
    this.#handle = options.handle;
    this.#refuse = options.refuse;
  }

  /**
   * Opens the listeners that are not open yet. They serve the current generation until the commit.
   * @throws ListenRefused for the first that cannot be opened; keepOnly() closes the others again
   */
  open(listeners: readonly ListenerConfig[]): void {
    for (const listener of listeners) {
      const key = keyOf(listener);
      if (this.#open.has(key)) continue;
      try {
        const start = listener.front === "serve" ? startServeFront : startHttp1Front;
        const front = start({
          host: listener.host,
          port: listener.port,
          reusePort: true,
          handle: this.#handle,
          refuse: this.#refuse,
        });
        this.#open.set(key, front);
      } catch (error) {
        throw new ListenRefused(listener, error);
      }
    }
  }

  /** Stops every listener that is not in the list; what it has in flight is finished. */
  keepOnly(listeners: readonly ListenerConfig[]): void {
    const kept = new Set(listeners.map(keyOf));
    for (const [key, front] of this.#open) {
      if (kept.has(key)) continue;
      this.#open.delete(key);
      this.#stop(front);
    }
  }

  /** Resolves when nothing is in flight any more. */
  async stop(): Promise<void> {
    for (const front of this.#open.values()) this.#stop(front);
    this.#open.clear();
    await Promise.all(this.#stopping);
  }

  #stop(front: Front): void {
    const stopped = front.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}

export class ListenRefused extends Error {
  override readonly name = "ListenRefused";
  readonly listener: ListenerConfig;

  constructor(listener: ListenerConfig, cause: unknown) {
    super(`Cannot listen on ${listener.address}: ${messageOf(cause)}`, { cause });
    this.listener = listener;
  }
}

function keyOf(listener: ListenerConfig): string {
  return `${listener.host}|${listener.port}|${listener.front}`;
}
