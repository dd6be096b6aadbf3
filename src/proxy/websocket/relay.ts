import type { ServerWebSocket } from "bun";
import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { log } from "../../base/log.ts";
import type { Tunnel } from "../../upstream/message.ts";
import { FrameDecoder, FrameFault, type Received } from "./frame-decoder.ts";
import { CLOSE, isSendableCode } from "./frames.ts";
import { NodeWriter } from "./node-writer.ts";

export interface RelayOptions {
  /** The node's side, its 101 read and checked. The relay closes it. */
  readonly tunnel: Tunnel;
  /** ms without a frame in either direction after which both sides are closed; 0: never. */
  readonly idleMs: number;
  /** Called once, when both sides are closed or given up. */
  readonly onEnd?: (end: RelayEnd) => void;
}

export interface RelayEnd {
  /** Who ended it. */
  readonly by: "client" | "node" | "gateway";
  /** Close code of that side: 1005 for a Close frame without one, 1006 when there was none. */
  readonly code: number;
  readonly reason: string;
}

type Socket = ServerWebSocket<WebSocketRelay>;

/**
 * One WebSocket between a client on Bun.serve and the raw connection to a node.
 *
 *   client ──message()──▶ NodeWriter ──write()──▶ tunnel      full: the client is paused
 *   client ◀──send()───── FrameDecoder ◀──read()── tunnel     full: nothing is read until drain()
 *
 * States: waiting (for open()) → open → closing → ended. Whatever begins the closing, the other
 * side is told with the same code and reason, or broken off where there was no Close frame.
 *
 * Pings: Bun.serve answers the client's by itself. They are passed on all the same, to keep the
 * node's idle timer quiet, and the node's answers to them go no further. The node's pings and the
 * client's pongs are passed on, so the node learns whether the client is alive, not whether we are.
 */
export class WebSocketRelay {
  readonly #tunnel: Tunnel;
  readonly #idleMs: number;
  readonly #onEnd: ((end: RelayEnd) => void) | undefined;
  #state: "waiting" | "open" | "closing" | "ended" = "waiting";
  #socket: Socket | undefined;
  #end: RelayEnd | undefined;

  readonly #toNode: NodeWriter;
  readonly #fromNode = new FrameDecoder(LIMITS.webSocketMessageBytesMax);
  /** Someone waits until the client has taken what Bun.serve holds for it. */
  #drained: PromiseWithResolvers<void> | undefined;
  /** Payloads of the client's pings whose pongs are on their way, oldest first, as base64. */
  #pings: string[] = [];

  #activeMs = performance.now();
  #deadline: Deadline | undefined;

  constructor(options: RelayOptions) {
    this.#tunnel = options.tunnel;
    this.#toNode = new NodeWriter(options.tunnel, () => this.#nodeTook());
    this.#idleMs = options.idleMs;
    this.#onEnd = options.onEnd;
  }

  /** From now on the node is read. */
  open(socket: Socket): void {
    if (this.#state !== "waiting") {
      socket.terminate();
      return;
    }
    this.#socket = socket;
    this.#state = "open";
    this.#activeMs = performance.now();
    if (this.#idleMs > 0) this.#armIdle(this.#idleMs);
    void this.#readNode();
  }

  message(data: string | Uint8Array): void {
    if (this.#state !== "open") return;
    if (typeof data === "string") this.#toNode.frames.pushText(data);
    else this.#toNode.frames.pushBytes("binary", data);
    this.#queued();
  }

  ping(data: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#pings.push(data.toBase64());
    if (this.#pings.length > LIMITS.webSocketPingsMax) this.#pings.shift();
    this.#toNode.frames.pushBytes("ping", data);
    this.#queued();
  }

  pong(data: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#toNode.frames.pushBytes("pong", data);
    this.#queued();
  }

  /** The client has taken some of what was sent. */
  drain(): void {
    this.#progressed();
    if ((this.#socket?.getBufferedAmount() ?? 0) > 0) return;
    this.#releaseDrained();
  }

  /** The client's side is closed; also called, at once, when this relay closes it. */
  closed(code: number, reason: string): void {
    this.#socket = undefined;
    this.#releaseDrained();
    if (this.#state !== "open") return;
    this.#beginClosing({ by: "client", code, reason });
    const hadCloseFrame = code === CLOSE.none || isSendableCode(code);
    if (hadCloseFrame) this.#toNode.frames.pushClose(code, reason);
    this.#toNode.flush();
    // What the client has sent before it left is still delivered.
    if (!hadCloseFrame) void this.#finishWhenWritten();
  }

  /** The gateway ends it: draining, or a limit. Idempotent. */
  close(code: number, reason: string): void {
    if (this.#state === "waiting") {
      this.#end = { by: "gateway", code, reason };
      this.#finish();
    }
    if (this.#state !== "open") return;
    this.#beginClosing({ by: "gateway", code, reason });
    this.#closeNode(code, reason);
    this.#closeClient(code, reason);
  }

  #queued(): void {
    this.#activeMs = performance.now();
    const { bytes } = this.#toNode.frames;
    if (bytes > LIMITS.webSocketQueueBytesMax) {
      this.close(CLOSE.tryAgainLater, "the node takes messages too slowly");
      return;
    }
    // What Bun.serve has read already still arrives after this: up to 64 KiB and one message.
    if (bytes > LIMITS.webSocketQueueBytes) this.#socket?.pause();
    this.#toNode.flush();
  }

  #nodeTook(): void {
    this.#progressed();
    const hasRoom = this.#toNode.frames.bytes <= LIMITS.webSocketQueueBytes;
    if (hasRoom && this.#socket?.isPaused === true) this.#socket.resume();
  }

  /** Never rejects. */
  async #readNode(): Promise<void> {
    try {
      for (;;) {
        const chunk = await this.#tunnel.read();
        if (chunk === undefined) break;
        this.#activeMs = performance.now();
        this.#fromNode.push(chunk);
        await this.#deliver();
      }
      await this.#nodeLost(undefined);
    } catch (error) {
      if (error instanceof FrameFault) this.#nodeAtFault(error);
      else await this.#nodeLost(error);
    }
  }

  /** Hands on what the last chunk has completed. @throws FrameFault */
  async #deliver(): Promise<void> {
    for (;;) {
      if (this.#state === "ended") return;
      const received = this.#fromNode.next();
      if (received === undefined) return;
      if (received.kind === "close") this.#nodeClosed(received.code, received.reason);
      if (this.#state !== "open" || this.#socket === undefined) continue;
      const isTaken = this.#send(this.#socket, received);
      if (!isTaken) await this.#whenDrained();
    }
  }

  /** @returns false when the client has to drain before the next one */
  #send(socket: Socket, received: Received): boolean {
    if (received.kind === "text") return socket.sendText(received.text) !== -1;
    if (received.kind === "close") return true;
    if (received.kind === "binary") return socket.sendBinary(exactBytes(received.bytes)) !== -1;
    if (received.kind === "ping") return socket.ping(exactBytes(received.bytes)) !== -1;
    const at = this.#pings.indexOf(received.bytes.toBase64());
    if (at < 0) return socket.pong(exactBytes(received.bytes)) !== -1;
    // A node may answer only the latest of several pings: the ones before it are answered too.
    this.#pings.splice(0, at + 1);
    return true;
  }

  /** Resolves also when the client's side is closed. */
  async #whenDrained(): Promise<void> {
    if ((this.#socket?.getBufferedAmount() ?? 0) === 0) return;
    this.#drained ??= Promise.withResolvers();
    await this.#drained.promise;
  }

  #releaseDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** The node's Close frame: the answer to ours, or the start of the closing. */
  #nodeClosed(code: number, reason: string): void {
    if (this.#state === "closing") this.#finish();
    if (this.#state !== "open") return;
    this.#beginClosing({ by: "node", code, reason });
    this.#closeNode(code, "");
    this.#closeClient(code, reason);
  }

  /** The node has sent what is no WebSocket frame. */
  #nodeAtFault(fault: FrameFault): void {
    if (this.#state !== "open") {
      this.#finish();
      return;
    }
    log.warn("node broke the WebSocket protocol", { problem: fault.message });
    const code = fault.closeCode === CLOSE.tooLarge ? CLOSE.tooLarge : CLOSE.badGateway;
    this.#beginClosing({ by: "gateway", code, reason: fault.message });
    this.#closeNode(fault.closeCode, fault.message);
    this.#closeClient(code, code === CLOSE.tooLarge ? "message too large" : "bad gateway");
    void this.#finishWhenWritten();
  }

  /** The tunnel ended, or broke: the end of a closing, or an end without any Close frame. */
  async #nodeLost(error: unknown): Promise<void> {
    if (this.#state !== "open") {
      this.#finish();
      return;
    }
    if (error instanceof GatewayError && error.code === "UPSTREAM_READ_TIMEOUT") {
      this.close(CLOSE.goingAway, "idle timeout");
      return;
    }
    this.#beginClosing({ by: "node", code: CLOSE.abnormal, reason: "" });
    // terminate() drops what Bun.serve still holds for the client.
    await this.#whenDrained();
    this.#finish();
  }

  #closeClient(code: number, reason: string): void {
    // Bun.serve sends what is queued first, then the frame, then ends the connection.
    this.#socket?.close(code, reason);
  }

  /** Frames that have not left are dropped: after its Close frame a side reads no more messages. */
  #closeNode(code: number, reason: string): void {
    this.#toNode.frames.clear();
    this.#toNode.frames.pushClose(code, reason);
    this.#toNode.flush();
  }

  #beginClosing(end: RelayEnd): void {
    this.#state = "closing";
    this.#end = end;
    this.#armClosing();
  }

  #progressed(): void {
    this.#activeMs = performance.now();
    if (this.#state === "closing") this.#armClosing();
  }

  #armClosing(): void {
    this.#deadline?.cancel();
    this.#deadline = deadlines.arm(LIMITS.webSocketCloseMsMax, () => this.#finish());
  }

  /** One deadline for many frames: it looks when it fires how long the last one is ago. */
  #armIdle(afterMs: number): void {
    this.#deadline = deadlines.arm(afterMs, () => {
      const leftMs = this.#activeMs + this.#idleMs - performance.now();
      if (leftMs > 0) this.#armIdle(leftMs);
      else this.close(CLOSE.goingAway, "idle timeout");
    });
  }

  async #finishWhenWritten(): Promise<void> {
    await this.#toNode.whenWritten();
    this.#finish();
  }

  #finish(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#deadline?.cancel();
    this.#toNode.frames.clear();
    this.#tunnel.close();
    this.#socket?.terminate();
    this.#onEnd?.(this.#end ?? { by: "gateway", code: CLOSE.abnormal, reason: "" });
  }
}

/** Bun.serve's types ask for memory that is not shared: a tunnel hands out no other. */
function exactBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
