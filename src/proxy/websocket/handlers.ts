import type { WebSocketHandler } from "bun";
import { LIMITS } from "../../base/limits.ts";
import { log } from "../../base/log.ts";
import { CLOSE } from "./frames.ts";
import type { WebSocketRelay } from "./relay.ts";

/**
 * The `websocket` option of a Bun.serve whose upgrades have a WebSocketRelay as `data`. One object
 * for all connections; it must not be changed by the front that spreads it.
 */
export const webSocketHandlers: WebSocketHandler<WebSocketRelay> = {
  maxPayloadLength: LIMITS.webSocketMessageBytesMax,
  // The relay has idle deadlines of its own; pings are the node's and the client's business.
  idleTimeout: 0,
  sendPings: false,
  perMessageDeflate: false,
  // No limit, so that nothing is ever dropped: the relay sends no more before what it has sent is
  // taken, which bounds the buffer to one message.
  backpressureLimit: 0,
  closeOnBackpressureLimit: false,

  open: (ws) => ws.data.open(ws),
  message: (ws, data) => ws.data.message(data),
  drain: (ws) => ws.data.drain(),
  ping: (ws, data) => ws.data.ping(data),
  pong: (ws, data) => ws.data.pong(data),
  close: (ws, code, reason) => ws.data.closed(code, reason),
  error: (error, ws) => {
    log.error("WebSocket relay failed", { error: error.stack ?? error.message });
    ws.data.close(CLOSE.internalError, "");
  },
};
