import type { WebSocketHandler } from "bun";
import { LIMITS } from "../../base/limits.ts";
import type { Call } from "../call.ts";
import { Refusal } from "../reply.ts";
import type { Endpoint } from "../router.ts";

export const SOCKET: readonly Endpoint[] = [
  { path: "/ws", methods: ["GET"], about: "WebSocket: echoes text and binary", answer: upgrade },
];

function upgrade(call: Call): undefined {
  if (call.server.upgrade(call.request)) return undefined;
  const headers = { Upgrade: "websocket", Connection: "Upgrade" };
  throw new Refusal(426, "Cannot talk plain HTTP at /ws: upgrade to a WebSocket", headers);
}

/** Echo with back-pressure: a client that does not read its echoes is no longer read. */
export const echoSocket: WebSocketHandler<undefined> = {
  idleTimeout: 0,
  maxPayloadLength: LIMITS.webSocketMessageBytesMax,
  // What is in flight is bounded by pausing, so that no echo is ever dropped.
  backpressureLimit: 0,
  message(ws, message) {
    if (ws.send(message) === -1) ws.pause();
  },
  drain(ws) {
    if (ws.getBufferedAmount() === 0) ws.resume();
  },
};
