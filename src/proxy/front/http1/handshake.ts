import { SocketWait } from "./socket-wait.ts";

/**
 * A client's socket until its TLS handshake is through: Bun tells of it as soon as TCP's is, and
 * until then nothing can be read or written, an answer neither. Half of one cannot be ended
 * properly, so it is broken off.
 */
export class Handshake extends SocketWait {}
