/**
 * Every bound of the gateway in one place: value, unit, reason. A bound that an operator may set has
 * its default here and its key in the YAML; the error that answers it is named beside it.
 */
const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  /** bytes; request line's target. 414. Proxies and browsers agree on about 8 KiB. */
  requestTargetBytesMax: 8 * KIB,
  /** bytes; names and values of all header lines of a request. 431. */
  requestHeaderBytesMax: 32 * KIB,
  /** count; header lines of a request. 431. Bun.serve itself refuses above about 198. */
  requestHeadersMax: 128,
  /** bytes; request body when a route does not say otherwise. 413. */
  requestBodyBytesMax: 2 * KIB * MIB,
  /** bytes; header block of an upstream's response. UPSTREAM_BAD_RESPONSE. */
  responseHeaderBytesMax: 64 * KIB,
  /** count; header lines of an upstream's response. UPSTREAM_BAD_RESPONSE. */
  responseHeadersMax: 256,
  /** count; interim 1xx responses before the final one, so that a node cannot loop for ever. */
  interimResponsesMax: 16,
  /** bytes; received and not yet read body of one upstream connection before it is paused. */
  receiveBufferBytes: 256 * KIB,
  /** bytes; accepted and not yet sent body of one upstream connection. */
  sendBufferBytes: 256 * KIB,
  /** bytes; body that a paused filter may hold back. 413 on requests, 500 on responses. */
  filterBufferBytesMax: MIB,
  /** ms; how long a filter may pause an exchange before it is answered with 504. */
  filterPauseMsMax: 60_000,
  /** count; idle connections kept per node and worker. */
  idleConnectionsPerNode: 320,
  /** count; connections per node and worker, busy or idle. UPSTREAM_OVERLOADED. */
  connectionsPerNodeMax: 10_000,
  /** count; exchanges in flight per worker. GATEWAY_OVERLOADED. */
  exchangesInFlightMax: 20_000,
  /** bytes; a serialized header map that a guest hands over or is given (proxy-wasm-cpp-host's). */
  pairsBytesMax: MIB,
  /** count; entries of a serialized header map (proxy-wasm-cpp-host's). */
  pairsCountMax: 1024,
  /** bytes; one log line of a guest, longer ones are cut. */
  guestLogBytesMax: 8 * KIB,
  /** lines per second and plugin; more are counted and dropped. */
  guestLogLinesPerSecond: 1000,
  /** count; call-outs of one plugin that wait for an answer. */
  callOutsInFlightMax: 1000,
  /** ms; deadline of a call-out that names none (0), so that no token lives for ever. */
  callOutMsMax: 60_000,
  /** bytes; body of a call-out's answer. */
  callOutBodyBytesMax: 4 * MIB,
  /** bytes; one WebSocket message. Close code 1009. */
  webSocketMessageBytesMax: 16 * MIB,
  /** bytes; a module file. */
  moduleBytesMax: 16 * MIB,
  /** bytes; a configuration file. */
  configBytesMax: 16 * MIB,
  /** count; alias expansions of one YAML file, against "billion laughs". */
  yamlAliasesMax: 100,
  /** ms; a worker that has not answered a heartbeat for this long is killed and replaced. */
  heartbeatMsMax: 5_000,
  /** ms; time a worker has to build and start a generation before it is given up. */
  prepareMsMax: 30_000,
  /** ms; drain after SIGTERM when the YAML does not say otherwise. */
  drainMsDefault: 30_000,
} as const;
