import { LIMITS } from "../../../base/limits.ts";

/** Bounds of one front, by default those of LIMITS, which tells their reasons. */
export interface Http1Bounds {
  /** bytes */
  readonly requestTargetBytesMax: number;
  /** bytes; header lines as they are sent, line ends included. */
  readonly requestHeaderBytesMax: number;
  readonly requestHeadersMax: number;
  /** bytes; received and not yet read: above it the socket is paused. */
  readonly receiveBufferBytes: number;
  readonly headMs: number;
  readonly handshakeMs: number;
  readonly handshakesMax: number;
  readonly keepAliveMs: number;
  readonly bodyIdleMs: number;
  readonly sendIdleMs: number;
  readonly halfClosedMs: number;
  readonly lingerMs: number;
  readonly lingerBytesMax: number;
  readonly unreadBodyBytesMax: number;
  readonly connectionsMax: number;
}

export const HTTP1_BOUNDS: Http1Bounds = {
  requestTargetBytesMax: LIMITS.requestTargetBytesMax,
  requestHeaderBytesMax: LIMITS.requestHeaderBytesMax,
  requestHeadersMax: LIMITS.requestHeadersMax,
  receiveBufferBytes: LIMITS.receiveBufferBytes,
  headMs: LIMITS.clientHeadMsMax,
  handshakeMs: LIMITS.tlsHandshakeMsMax,
  handshakesMax: LIMITS.tlsHandshakesMax,
  keepAliveMs: LIMITS.clientKeepAliveMsMax,
  bodyIdleMs: LIMITS.clientBodyIdleMsMax,
  sendIdleMs: LIMITS.clientSendIdleMsMax,
  halfClosedMs: LIMITS.clientHalfClosedMsMax,
  lingerMs: LIMITS.clientLingerMsMax,
  lingerBytesMax: LIMITS.clientLingerBytesMax,
  unreadBodyBytesMax: LIMITS.unreadBodyBytesMax,
  connectionsMax: LIMITS.clientConnectionsMax,
};
