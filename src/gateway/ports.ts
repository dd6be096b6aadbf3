import { messageOf } from "../base/errors.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";

/**
 * Replaces port 0 by a port that the system chooses: workers share a port, so it is chosen once, by
 * the master, and stays over reloads.
 * @param chosen by address as written and how often it stands before; filled
 */
export function assignPorts(config: Config, chosen: Map<string, number>): Config {
  const listeners = config.listeners.map((listener, at, all) => {
    if (listener.port !== 0) return listener;
    const before = all.slice(0, at).filter(({ address }) => address === listener.address).length;
    const key = `${listener.address} ${before}`;
    const port = chosen.get(key) ?? freePort(listener.host);
    chosen.set(key, port);
    return { ...listener, port };
  });
  return { ...config, listeners };
}

/**
 * Listeners that somebody else has taken. Workers share their ports, so they would share them with
 * another gateway too, and each would get half of the other's requests without a word.
 * @param open those that this gateway has opened already
 */
export function takenListeners(
  config: Config,
  open: readonly ListenerConfig[],
): readonly Diagnostic[] {
  // By port alone: 127.0.0.1 and 0.0.0.0 are in each other's way, also when both are ours.
  const own = new Set(open.map(({ port }) => port));
  return config.listeners.flatMap(({ host, port, address, position }) => {
    if (own.has(port)) return [];
    try {
      probe(host, port);
      return [];
    } catch (error) {
      const message = `Cannot listen on ${address}: ${messageOf(error)}; is it in use?`;
      const { file } = config;
      const code = "LISTEN_FAILED";
      return [{ severity: "error", code, message, file, position, hint: undefined } as const];
    }
  });
}

function freePort(host: string): number {
  return probe(host, 0);
}

/** Listens for a moment, alone. @returns the port @throws when it is taken or not ours to take */
function probe(host: string, port: number): number {
  const listener = Bun.listen({ hostname: host, port, socket: { data() {} } });
  const bound = listener.port;
  listener.stop(true);
  return bound;
}
