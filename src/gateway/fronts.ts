import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { Answer, Front, Handler } from "../proxy/front/front.ts";
import { startHttp1Front } from "../proxy/front/http1/http1-front.ts";
import { startServeFront } from "../proxy/front/serve.ts";
import type { Certificate } from "./certificates.ts";

/**
 * The listeners of one worker; a reload touches only those that it adds, changes or drops.
 *
 *   open() ──▶ beside the others ──commit()──▶ serving ──not in the next──▶ stopped
 *                     └──────────abort()──▶ stopped     └─other certificate─▶ retired
 *
 * A certificate cannot be replaced in a front, so that one with the new one opens on the same port;
 * connections of the old one live on.
 */
export class Fronts {
  readonly #open = new Map<string, Opened>();
  /** Of listeners whose certificate was replaced, oldest first. */
  readonly #retired: Opened[] = [];
  /** Closed to new connections, with requests still in flight. */
  readonly #stopping = new Set<Promise<void>>();
  readonly #handle: Handler;
  readonly #refuse: (error: unknown) => Answer;
  /** Keys of those that the current generation has, and the one that is being prepared. */
  #serving = new Set<string>();
  #wanted = new Set<string>();

  constructor(options: { handle: Handler; refuse: (error: unknown) => Answer }) {
    this.#handle = options.handle;
    this.#refuse = options.refuse;
  }

  /**
   * Opens the listeners that are not open yet. They serve the current generation until commit().
   * @param certificates of those with TLS
   * @throws ListenRefused for the first that cannot be opened; abort() closes the others again
   */
  open(listeners: readonly ListenerConfig[], certificates: readonly Certificate[]): void {
    this.#wanted = new Set();
    for (const listener of listeners) {
      const key = keyOf(listener, certificates);
      this.#wanted.add(key);
      if (this.#open.has(key)) continue;
      try {
        const front = this.#start(listener, certificates);
        this.#open.set(key, { front, listener });
      } catch (error) {
        throw new ListenRefused(listener, error);
      }
    }
  }

  /** Stops or retires what the last open() has not named; what it has in flight is finished. */
  commit(): void {
    this.#serving = this.#wanted;
    this.#keepOnly(this.#serving);
  }

  /** The same with what the last open() has opened; idempotent. */
  abort(): void {
    this.#keepOnly(this.#serving);
  }

  /** Resolves when nothing is in flight any more. */
  async stop(): Promise<void> {
    for (const { front } of this.#open.values()) this.#stop(front);
    for (const { front } of this.#retired) this.#stop(front);
    this.#open.clear();
    await Promise.all(this.#stopping);
  }

  #start(listener: ListenerConfig, certificates: readonly Certificate[]): Front {
    const { host, port, tls } = listener;
    const start = frontOf(listener, certificates) === "serve" ? startServeFront : startHttp1Front;
    return start({
      host,
      port,
      reusePort: true,
      tls: tls ? certificates : undefined,
      handle: this.#handle,
      refuse: this.#refuse,
    });
  }

  #keepOnly(keys: ReadonlySet<string>): void {
    const kept = new Set<string>();
    for (const [key, { listener }] of this.#open) if (keys.has(key)) kept.add(placeOf(listener));
    for (const [key, opened] of this.#open) {
      if (keys.has(key)) continue;
      this.#open.delete(key);
      if (opened.listener.tls && kept.has(placeOf(opened.listener))) this.#retire(opened);
      else this.#stop(opened.front);
    }
    const gone = this.#retired.filter(({ listener }) => !kept.has(placeOf(listener)));
    for (const opened of gone) this.#stopRetired(opened);
  }

  #retire(opened: Opened): void {
    this.#retired.push(opened);
    const place = placeOf(opened.listener);
    const same = this.#retired.filter(({ listener }) => placeOf(listener) === place);
    const oldest = same.length > LIMITS.retiredFrontsMax ? same[0] : undefined;
    if (oldest !== undefined) this.#stopRetired(oldest);
    void opened.front.retire().finally(() => this.#forget(opened));
  }

  #stopRetired(opened: Opened): void {
    this.#forget(opened);
    this.#stop(opened.front);
  }

  #forget(opened: Opened): void {
    const at = this.#retired.indexOf(opened);
    if (at >= 0) this.#retired.splice(at, 1);
  }

  #stop(front: Front): void {
    const stopped = front.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}

interface Opened {
  readonly front: Front;
  readonly listener: ListenerConfig;
}

export class ListenRefused extends Error {
  override readonly name = "ListenRefused";
  readonly listener: ListenerConfig;

  constructor(listener: ListenerConfig, cause: unknown) {
    super(`Cannot listen on ${listener.address}: ${messageOf(cause)}`, { cause });
    this.listener = listener;
  }
}

/** What `auto` stands for: http1 where it can, and it has one certificate. */
function frontOf(
  { front, tls }: ListenerConfig,
  certificates: readonly Certificate[],
): "http1" | "serve" {
  if (front !== "auto") return front;
  return tls && certificates.length > 1 ? "serve" : "http1";
}

function keyOf(listener: ListenerConfig, certificates: readonly Certificate[]): string {
  const hashes = listener.tls ? certificates.map(({ hash }) => hash).join(" ") : "";
  return `${placeOf(listener)}|${frontOf(listener, certificates)}|${hashes}`;
}

/** Clients of the one can be clients of the other. */
function placeOf({ host, port, tls }: ListenerConfig): string {
  return `${host}|${port}|${tls}`;
}
