import { GatewayError } from "../../../base/errors.ts";
import type { Body, ByteRange } from "../../../http/body.ts";
import { hasNoBody } from "../../../http/framing.ts";
import { type HeadText, NO_HEAD } from "../../../http/head-text.ts";
import type { Answer } from "../front.ts";
import type { Output } from "./output.ts";
import type { RequestHead } from "./request-head.ts";
import { renderHead, renderTrailers } from "./response-head.ts";

export interface SenderOwner {
  /** The system has taken the answer's last byte. @param closes the connection ends with it */
  onSent(closes: boolean): void;
  /** The answer cannot be completed. @param begun bytes of it have left: no other can be started */
  onBroken(error: unknown, begun: boolean): void;
  /** Something waits for the client to read; drain() goes on. */
  onBlocked(): void;
}

/** What of a request decides how its answer is framed. */
export type Asked = Pick<RequestHead, "method" | "version" | "takesTrailers">;

/**
 * Sends one answer after another to one client.
 *
 *   idle ─start()─▶ reading ⇄ blocked ─▶ flushing ─▶ idle
 *                   a read    output      the last    onSent()
 *                   pends     waits       bytes wait
 *
 * The body is read only when nothing waits in the output: that is the back-pressure.
 */
export class AnswerSender {
  readonly #output: Output;
  readonly #owner: SenderOwner;
  #state: "idle" | "reading" | "blocked" | "flushing" = "idle";
  #body: Body | undefined;
  #framing: "length" | "chunked" | "until-close" = "length";
  /** bytes that Content-Length has promised and that were not read yet. */
  #left = 0;
  #takesTrailers = false;
  #closes = false;
  /** A chunk that was read ahead before the client stopped reading. */
  #held: Uint8Array | undefined;
  /** The head, until it goes out with the first bytes of the body. */
  #head = NO_HEAD;
  readonly #onChunk = (chunk: Uint8Array | undefined): void => this.#resume(chunk);
  readonly #onError = (error: unknown): void => this.#break(error);

  constructor(output: Output, owner: SenderOwner) {
    this.#output = output;
    this.#owner = owner;
  }

  /**
   * @param close the connection ends with this answer; it also does when nothing else ends it
   * @throws GatewayError when nothing has been sent: another answer may be started
   */
  start(answer: Answer, asked: Asked, close: boolean): void {
    const { status, headers } = answer;
    const bodiless = hasNoBody(asked.method, status);
    const body = bodiless ? undefined : answer.body;
    const modern = asked.version === "1.1";
    // Trailers travel behind chunks only, also when the whole body is here and its length known.
    const trails = modern && asked.takesTrailers && (body?.trailers?.size ?? 0) > 0;
    const length = body === undefined ? 0 : trails ? undefined : body.length;
    this.#closes = close || (length === undefined && !modern);
    this.#head = renderHead({
      status,
      headers,
      contentLength: bodiless ? bodilessLength(answer) : length,
      chunked: length === undefined && modern,
      connection: this.#closes ? "close" : modern ? undefined : "keep-alive",
      upgrade: undefined,
    });
    if (body === undefined) {
      answer.body?.cancel("the answer has no body");
      this.#end(undefined);
      return;
    }
    const range = length === undefined ? undefined : body.readInPlace?.();
    // When this throws, nothing has been sent: the client can get a proper answer instead.
    const first = range === undefined ? body.read() : undefined;
    this.#body = body;
    this.#framing = length !== undefined ? "length" : modern ? "chunked" : "until-close";
    this.#left = length ?? 0;
    this.#takesTrailers = asked.takesTrailers;
    this.#state = "reading";
    if (range !== undefined) this.#sendInPlace(range);
    else if (first instanceof Promise) this.#await(first);
    else this.#resume(first);
  }

  /** The client has read: what waited may have left. */
  onDrain(): void {
    if (this.#output.waitingBytes > 0) return;
    if (this.#state === "flushing") {
      this.#finish();
    } else if (this.#state === "blocked") {
      this.#state = "reading";
      const held = this.#held;
      this.#held = undefined;
      if (held === undefined) this.#read();
      else this.#resume(held);
    }
  }

  /** Nobody takes the answer any more; idempotent. */
  cancel(reason: unknown): void {
    const body = this.#body;
    this.#forget();
    body?.cancel(reason);
  }

  #read(): void {
    try {
      const chunk = this.#body?.read();
      if (chunk instanceof Promise) this.#await(chunk);
      else this.#pump(chunk);
    } catch (error) {
      this.#break(error);
    }
  }

  #await(chunk: Promise<Uint8Array | undefined>): void {
    // What comes later must not hold back the head.
    if (this.#head !== NO_HEAD) this.#write("", undefined, "");
    if (this.#output.waitingBytes > 0) this.#owner.onBlocked();
    void chunk.then(this.#onChunk, this.#onError);
  }

  #resume(chunk: Uint8Array | undefined): void {
    if (this.#state !== "reading") return; // Cancelled while it was on its way.
    try {
      this.#pump(chunk);
    } catch (error) {
      this.#break(error);
    }
  }

  /** Goes on with a chunk that has been read. @throws what the body's read() throws */
  #pump(read: Uint8Array | undefined): void {
    let chunk = read;
    let isOwned = false;
    while (chunk !== undefined) {
      // A short stream that ends here can leave in one write with its end.
      isOwned = this.#body?.givesBuffer === true; // Before another chunk is read.
      const looksAhead = this.#framing === "chunked" && chunk.length <= LOOK_AHEAD_BYTES_MAX;
      let next = looksAhead ? this.#body?.read() : NOT_READ;
      if (next === undefined) break;
      this.#send(chunk, isOwned);
      if (this.#output.waitingBytes > 0 && !(next instanceof Promise)) {
        this.#held = next === NOT_READ ? undefined : next;
        this.#state = "blocked";
        this.#owner.onBlocked();
        return;
      }
      if (next === NOT_READ) next = this.#body?.read();
      if (next instanceof Promise) {
        this.#await(next);
        return;
      }
      chunk = next;
    }
    this.#end(chunk, isOwned);
  }

  /** A whole body that lies behind what was the node's head. */
  #sendInPlace(range: ByteRange): void {
    this.#left -= range.end - range.start;
    this.#output.writeInPlace(this.#takeHead(), range);
    if (this.#output.waitingBytes > 0) {
      this.#state = "blocked";
      this.#owner.onBlocked();
    } else {
      this.#read();
    }
  }

  #send(chunk: Uint8Array, isOwned: boolean): void {
    if (this.#framing === "chunked") {
      this.#write(`${chunk.length.toString(16)}\r\n`, chunk, "\r\n", isOwned);
      return;
    }
    if (this.#framing === "length") {
      this.#left -= chunk.length;
      if (this.#left < 0) throw wrongLength(`${-this.#left} bytes too many`);
    }
    this.#write("", chunk, "", isOwned);
  }

  /** @param last chunk of a chunked body that goes with its end */
  #end(last: Uint8Array | undefined, isOwned = false): void {
    if (this.#body !== undefined && this.#framing === "length" && this.#left > 0) {
      throw wrongLength(`${this.#left} bytes missing`);
    }
    if (this.#body !== undefined && this.#framing === "chunked") {
      const trailers = this.#takesTrailers ? this.#body.trailers : undefined;
      const end = `0\r\n${trailers === undefined ? "" : renderTrailers(trailers)}\r\n`;
      if (last === undefined) this.#write(end, undefined, "");
      else this.#write(`${last.length.toString(16)}\r\n`, last, `\r\n${end}`, isOwned);
    } else if (this.#head !== NO_HEAD) {
      this.#write("", undefined, "");
    }
    if (this.#output.waitingBytes === 0) {
      this.#finish();
      return;
    }
    this.#state = "flushing";
    this.#owner.onBlocked();
  }

  #write(before: string, bytes: Uint8Array | undefined, after: string, isOwned = false): void {
    this.#output.write(this.#takeHead(), before, bytes, after, isOwned);
  }

  #takeHead(): HeadText {
    const head = this.#head;
    this.#head = NO_HEAD;
    return head;
  }

  #finish(): void {
    this.#forget();
    this.#owner.onSent(this.#closes);
  }

  #break(error: unknown): void {
    if (this.#state === "idle") return;
    const begun = this.#head === NO_HEAD;
    this.cancel(error);
    this.#owner.onBroken(error, begun);
  }

  #forget(): void {
    this.#state = "idle";
    this.#body = undefined;
    this.#held = undefined;
    this.#head = NO_HEAD;
  }
}

const NOT_READ = null;
/** bytes; a chunk up to this waits for what read() says next, if that is known at once. */
const LOOK_AHEAD_BYTES_MAX = 128 * 1024;

/** Of an answer to HEAD, or of a 304: what the headers say, else what its body would have been. */
function bodilessLength(answer: Answer): number | "own" | undefined {
  if (answer.status === 204 || answer.status < 200) return undefined;
  if (answer.headers.has("content-length")) return "own";
  return answer.status === 304 ? undefined : answer.body?.length;
}

function wrongLength(what: string): GatewayError {
  return new GatewayError("GATEWAY_INTERNAL", `Cannot send a body that has ${what}`);
}
