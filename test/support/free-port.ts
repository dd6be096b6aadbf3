/** Below the ports that Linux gives to connections, and to listeners that ask for port 0. */
const FIRST = 10_000;
const COUNT = 20_000;
const TRIES_MAX = 100;

/**
 * A port of 127.0.0.1 that nobody listens on, for servers that cannot choose one themselves. What
 * others open until the server listens does not take it, and who tries to connect too early does
 * not reach itself, as happens when both ends of a connection get the same port.
 */
export function freePort(): number {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Somebody listens there.
    }
  }
  throw new Error(`Cannot find a free port of ${FIRST} to ${FIRST + COUNT - 1}`);
}
