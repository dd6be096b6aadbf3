import type { Cancellation } from "../../../base/cancellation.ts";
import { GatewayError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { HeadText } from "../../../http/head-text.ts";
import type { Tunnel } from "../../../upstream/message.ts";
import type { Answer, Asker, FrontOptions } from "../front.ts";
import { AnswerSender, type Asked, type SenderOwner } from "./answer-sender.ts";
import { decoderFor } from "./body-decoder.ts";
import type { Http1Bounds } from "./bounds.ts";
import { answered, gone, timeout } from "./client-faults.ts";
import { type ChannelOwner, ClientChannel, type ClientSocket } from "./client-channel.ts";
import { Http1Incoming, schemeOf } from "./http1-incoming.ts";
import type { Input } from "./input.ts";
import { allowsNext } from "./keep-alive.ts";
import { RequestBody } from "./request-body.ts";
import type { BodySource } from "./request-body.ts";
import type { RequestHead } from "./request-head.ts";
import { RequestParser } from "./request-parser.ts";
import { renderSwitch } from "./response-head.ts";
import { TunnelPump } from "./tunnel-pump.ts";

/** What a connection needs of its front. */
export interface ConnectionOwner {
  readonly options: FrontOptions;
  readonly bounds: Http1Bounds;
  /** Answers close their connections. */
  readonly draining: boolean;
  onRequest(): void;
  onRequestEnded(): void;
  onClosed(connection: Connection): void;
}

/**
 * One client's connection: its requests one after the other.
 *
 *            ┌───────── next request (pipelined bytes wait in the input) ─────────┐
 *            ▼                                                                    │
 *   ─▶ reading ──head──▶ answering ──answer sent──▶ draining ──body's rest gone──▶┤
 *         │ malformed ▶ refusal │  │ 101                │ too much                │
 *         │                     │  └──▶ tunnel          ▼                         │
 *         │ idle                └─ close ────────▶ lingering ──FIN, time──▶ closed
 *         └────────────────────────────────────────────────────────────────▶ closed
 *
 * A client that has sent its FIN may still read: it gets the answers to what it has asked. Whether
 * it does read shows only when something is sent, since a closed one answers with a reset. When
 * there is nothing to send for `halfClosedMs`, it counts as gone.
 */
export class Connection implements Asker, ChannelOwner, SenderOwner, BodySource {
  readonly input: Input;
  /** Among the connections of its front, which sets it. */
  number = -1;
  readonly #channel: ClientChannel;
  readonly #owner: ConnectionOwner;
  readonly #parser: RequestParser;
  readonly #sender: AnswerSender;
  #state: "reading" | "answering" | "draining" | "tunnel" | "lingering" | "closed" = "reading";
  #body: RequestBody | undefined;
  #head: RequestHead | undefined;
  #cancellation: Cancellation | undefined;
  #pump: TunnelPump | undefined;
  #inFlight = false;
  /** The final answer has been given: no interim one may follow. */
  #answered = false;
  /** It could not be sent, so another one is. */
  #fellBack = false;
  /** The first bytes of a head have arrived. */
  #headBegun = false;
  #continued = false;
  /** Requests since the event loop had its turn. */
  #served = 0;
  readonly #onTurn = (): void => {
    // What waited may have been read meanwhile, and no head has begun with nothing.
    if (this.#state === "reading" && this.input.length > 0) this.#next();
  };

  constructor(socket: ClientSocket, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#channel = new ClientChannel(socket, schemeOf(owner.options), owner.bounds, this);
    this.input = this.#channel.input;
    this.#parser = new RequestParser(owner.bounds);
    this.#sender = new AnswerSender(this.#channel.output, this);
    this.#channel.expect(owner.bounds.keepAliveMs);
  }

  onData(chunk: Buffer): void {
    if (this.#state === "closed") return;
    if (this.#state === "lingering") {
      if (this.#channel.lingersTooLong(chunk.length)) this.#end();
      return;
    }
    this.input.push(chunk);
    if (this.#state === "reading") {
      this.#served = 0;
      this.#next();
    } else if (this.#state === "draining") {
      this.#dropRest();
    } else {
      this.#body?.onInput();
      this.#pump?.onInput();
      this.#channel.balance();
    }
  }

  /** The client's FIN. */
  onEnd(): void {
    if (this.#state === "closed") return;
    this.#channel.onEnd();
    if (this.#state === "answering") {
      this.#body?.cutOff(gone("its request is not complete"));
      this.#channel.expect(this.#owner.bounds.halfClosedMs);
    } else if (this.#state === "tunnel") {
      this.#pump?.onClientEnded();
    } else if (this.#state !== "reading" || this.input.length === 0) {
      this.#end();
    }
  }

  onDrain(): void {
    if (this.#state === "closed") return;
    if (!this.#channel.drain()) return;
    this.#pump?.onDrain();
    this.#sender.onDrain();
  }

  onClose(): void {
    this.#release(gone("it has closed the connection"), "gone");
  }

  /** Nobody is being answered: a client that asks now will ask again elsewhere. */
  closeIfIdle(): void {
    if (this.#state === "reading") this.#end();
  }

  /** At once; an answer that is cut off never looks complete. */
  close(): void {
    if (this.#state === "reading" || this.#state === "lingering") this.#end();
    else this.#reset(gone("the gateway has closed the connection"));
  }

  onAnswer(answer: Answer): void {
    const head = this.#head;
    if (this.#state !== "answering") {
      answer.body?.cancel("the client is gone");
      answer.tunnel?.close();
      return;
    }
    this.#answered = true;
    if (answer.status === 101 && answer.tunnel !== undefined && head?.upgrade !== undefined) {
      this.#switch(answer, answer.tunnel, head.upgrade);
      return;
    }
    answer.tunnel?.close();
    if (answer.status >= 200) {
      this.#send(answer);
      return;
    }
    answer.body?.cancel("it is no final answer");
    const what = `Cannot answer ${answer.status} to a request without Upgrade`;
    this.#send(this.#owner.options.refuse(new GatewayError("GATEWAY_INTERNAL", what)));
  }

  onFailure(error: unknown): void {
    this.onAnswer(this.#owner.options.refuse(error));
  }

  onSent(closes: boolean): void {
    this.#endRequest();
    const body = this.#body;
    const isRead = body === undefined || body.ended;
    if (isRead && !closes) {
      this.#nextRequest();
    } else if (this.#channel.ended) {
      this.#end();
    } else if (closes || isRead || body.failed) {
      // Bytes that nobody has read turn a close into a reset, which can overtake the answer.
      const mayCome = !isRead || this.#head === undefined || this.input.length > 0;
      if (mayCome) this.#linger();
      else this.#end();
    } else {
      body.fail(answered());
      this.#state = "draining";
      this.#channel.expect(this.#owner.bounds.bodyIdleMs);
      this.#dropRest();
    }
  }

  onBroken(error: unknown, begun: boolean): void {
    if (begun || this.#fellBack) this.#reset(error);
    else this.#sendInstead(error);
  }

  onBlocked(): void {
    this.#channel.block();
  }

  onBodyWanted(): void {
    if (this.#head?.expectsContinue === true && !this.#continued && !this.#answered) {
      this.#continued = true;
      this.#channel.output.write(CONTINUE, "", undefined, "");
    }
    this.#channel.expect(this.#owner.bounds.bodyIdleMs);
  }

  onBodyTaken(): void {
    if (!this.#channel.ended && this.#state === "answering") this.#channel.expect(Infinity);
    this.#channel.balance();
  }

  onReceiveMissed(): void {
    switch (this.#state) {
      case "reading":
        if (this.#headBegun) this.#refuse(timeout("the rest of a request head"));
        else this.#end();
        break;
      case "answering":
        if (!this.#channel.ended) this.#body?.fail(timeout("the next byte of a request body"));
        else if (this.#channel.silentSinceEnd) {
          this.#reset(gone("it has ended its side and nothing could be sent since"));
        }
        break;
      case "draining":
        this.#linger();
        break;
      case "tunnel":
      case "lingering":
        this.#end();
        break;
      case "closed":
        break;
    }
  }

  onSendMissed(): void {
    this.#reset(gone("it takes nothing of its answer"));
  }

  onGone(): void {
    if (this.#state !== "closed") this.#reset(gone("its connection is broken"));
  }

  #nextRequest(): void {
    this.#state = "reading";
    this.#body = undefined;
    this.#head = undefined;
    this.#headBegun = false;
    this.#channel.expectAbout(this.#owner.bounds.keepAliveMs);
    if (this.input.length === 0) {
      if (this.#channel.ended) this.#end();
    } else if (this.#served < LIMITS.pipelinedPerTurnMax) {
      this.#next();
    } else {
      this.#served = 0;
      setImmediate(this.#onTurn);
    }
  }

  #next(): void {
    let head: RequestHead | undefined;
    try {
      head = this.#parser.parse(this.input);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (head !== undefined) {
      this.#dispatch(head);
    } else if (this.#channel.ended) {
      this.#end();
    } else if (!this.#headBegun) {
      this.#headBegun = true;
      this.#channel.expect(this.#owner.bounds.headMs);
    }
    this.#channel.balance();
  }

  #dispatch(head: RequestHead): void {
    const { framing } = head;
    const { options, bounds } = this.#owner;
    this.#served++;
    this.#beginRequest(head);
    if (framing !== 0) {
      const length = framing === "chunked" ? undefined : framing;
      this.#body = new RequestBody(this, decoderFor(framing, bounds), length);
      if (this.#channel.ended) this.#body.cutOff(gone("its request is not complete"));
    }
    const incoming = new Http1Incoming(head, this.#channel.ends, this.#body);
    this.#cancellation = incoming.cancellation;
    options.handle(incoming, this);
  }

  /** Answers what is no request; what follows it cannot be told apart, so the connection ends. */
  #refuse(error: unknown): void {
    this.#beginRequest(undefined);
    this.onFailure(error);
  }

  #beginRequest(head: RequestHead | undefined): void {
    this.#state = "answering";
    this.#head = head;
    this.#inFlight = true;
    this.#answered = false;
    this.#fellBack = false;
    this.#continued = false;
    this.#owner.onRequest();
    if (this.#channel.ended) this.#channel.expect(this.#owner.bounds.halfClosedMs);
    else this.#channel.expect(Infinity);
  }

  #endRequest(): void {
    if (!this.#inFlight) return;
    this.#inFlight = false;
    this.#cancellation = undefined;
    this.#owner.onRequestEnded();
  }

  #send(answer: Answer): void {
    try {
      this.#sender.start(answer, this.#head ?? UNREAD, this.#mustClose(answer));
    } catch (error) {
      answer.body?.cancel(error);
      this.#sendInstead(error);
    }
  }

  #sendInstead(error: unknown): void {
    this.#fellBack = true;
    try {
      this.#sender.start(this.#owner.options.refuse(error), this.#head ?? UNREAD, true);
    } catch (again) {
      this.#reset(again);
    }
  }

  #mustClose(answer: Answer): boolean {
    const head = this.#head;
    const { draining, bounds } = this.#owner;
    if (head === undefined || answer.close || draining) return true;
    return !allowsNext(head, this.#body, this.#continued, bounds.unreadBodyBytesMax);
  }

  #switch(answer: Answer, tunnel: Tunnel, protocol: string): void {
    answer.body?.cancel("an upgraded connection has no body");
    let head: HeadText;
    try {
      head = renderSwitch(answer.headers, protocol);
    } catch (error) {
      tunnel.close();
      this.#sendInstead(error);
      return;
    }
    this.#channel.output.write(head, "", undefined, "");
    this.#state = "tunnel";
    const idles = { idleMs: answer.tunnelIdleMs, halfClosedMs: this.#owner.bounds.halfClosedMs };
    this.#pump = new TunnelPump(this.#channel, tunnel, idles, (error) => {
      if (error === undefined) this.#end();
      else this.#reset(error);
    });
    if (this.#channel.ended) this.#pump.onClientEnded();
    this.#pump.start();
  }

  #dropRest(): void {
    const rest = this.#body?.drop(this.#owner.bounds.unreadBodyBytesMax);
    this.#channel.balance();
    if (rest === "ended") this.#nextRequest();
    else if (rest === "lost") this.#linger();
  }

  #linger(): void {
    this.#state = "lingering";
    this.#body?.fail(answered());
    this.#channel.linger();
  }

  #end(): void {
    this.#release(gone("the connection has ended"), "end");
  }

  #reset(error: unknown): void {
    this.#release(error, "reset");
  }

  #release(reason: unknown, how: "end" | "reset" | "gone"): void {
    if (this.#state === "closed") return;
    this.#state = "closed"; // First: closing the socket calls onClose().
    this.#channel.close(how);
    const cancellation = this.#cancellation;
    this.#endRequest();
    cancellation?.cancel(reason);
    this.#body?.fail(reason);
    this.#sender.cancel(reason);
    this.#pump?.close();
    this.#owner.onClosed(this);
  }
}

const CONTINUE = new HeadText("HTTP/1.1 100 Continue", "", "\r\n\r\n");
/** Stands for a request that could not be read. */
const UNREAD: Asked = { method: "", version: "1.1", takesTrailers: false };
