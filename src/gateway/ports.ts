import type { Config } from "../config/config.ts";

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

function freePort(host: string): number {
  const probe = Bun.listen({ hostname: host, port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
