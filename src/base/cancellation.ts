/** Who wants to know. */
export interface CancellationListener {
  /** Once at most. */
  cancelled(reason: unknown): void;
}

/**
 * "Nobody wants the result any more", handed down from the exchange to whatever works for it.
 * An AbortController does the same at about 2 µs a request; this is a flag and a short list, made
 * when somebody asks to be told.
 */
export class Cancellation {
  #reason: unknown;
  #cancelled = false;
  #first: CancellationListener | undefined;
  #others: CancellationListener[] | undefined;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Tells the listeners once, in the order in which they came; idempotent. */
  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reason = reason;
    const first = this.#first;
    const others = this.#others ?? [];
    this.#first = undefined;
    this.#others = undefined;
    first?.cancelled(reason);
    for (const listener of others) listener.cancelled(reason);
  }

  /** Told at once when it is cancelled already. */
  listen(listener: CancellationListener): void {
    if (this.#cancelled) listener.cancelled(this.#reason);
    else if (this.#first === undefined && this.#others === undefined) this.#first = listener;
    else (this.#others ??= []).push(listener);
  }

  /** It is not told any more; idempotent. */
  ignore(listener: CancellationListener): void {
    if (this.#first === listener) this.#first = undefined;
    else this.#others = this.#others?.filter((each) => each !== listener);
  }
}
