import { type Deadline, type Deadlines, deadlines } from "../base/deadlines.ts";
import { LIMITS } from "../base/limits.ts";
import type { UpstreamConfig } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { NodePools } from "../upstream/node-pools.ts";
import { Upstream } from "../upstream/upstream.ts";

/** An upstream on loan for one call-out. */
export interface AddressLease {
  readonly upstream: Upstream;
  /** The call has ended; once. */
  readonly release: () => void;
}

interface Entry {
  readonly upstream: Upstream;
  calls: number;
  /** Set while it is idle. */
  expiry: Deadline | undefined;
}

/**
 * Upstreams of one node for call-outs to addresses that are no configured upstreams. They are made
 * at the first call and belong to the plugin that asked, so that no plugin can take the places of
 * another; LIMITS.addressUpstreamsMax of them each.
 *
 *   ──first call──▶ busy ──last call has ended──▶ idle ──keepalive time, or room is needed──▶ gone
 *                    ▲                             │
 *                    └──────────next call──────────┘
 */
export class AddressUpstreams {
  readonly #pools: NodePools;
  readonly #deadlines: Deadlines;
  /** By plugin, then by address; the one whose last call is longest ago comes first. */
  readonly #byPlugin = new Map<string, Map<string, Entry>>();

  constructor(pools: NodePools, wheel: Deadlines = deadlines) {
    this.#pools = pools;
    this.#deadlines = wheel;
  }

  /** Number of upstreams, busy or idle. */
  get size(): number {
    let size = 0;
    for (const entries of this.#byPlugin.values()) size += entries.size;
    return size;
  }

  /**
   * @param host without brackets, in the spelling in which it was granted
   * @returns undefined when the plugin has calls under way to as many addresses as it may
   */
  acquire(plugin: string, host: string, port: number): AddressLease | undefined {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const entries = this.#entriesOf(plugin);
    const known = entries.get(address);
    if (known === undefined && !this.#makeRoom(plugin, entries)) return undefined;
    const entry = known ?? {
      upstream: new Upstream(configOf(address, host, port), this.#pools),
      calls: 0,
      expiry: undefined,
    };
    entry.expiry?.cancel();
    entry.expiry = undefined;
    entry.calls++;
    entries.delete(address);
    entries.set(address, entry);
    this.#byPlugin.set(plugin, entries);
    return { upstream: entry.upstream, release: () => this.#release(plugin, address, entry) };
  }

  #entriesOf(plugin: string): Map<string, Entry> {
    return this.#byPlugin.get(plugin) ?? new Map<string, Entry>();
  }

  #makeRoom(plugin: string, entries: Map<string, Entry>): boolean {
    if (entries.size < LIMITS.addressUpstreamsMax) return true;
    for (const [address, entry] of entries) {
      if (entry.calls > 0) continue;
      this.#drop(plugin, address, entry);
      return true;
    }
    return false;
  }

  #release(plugin: string, address: string, entry: Entry): void {
    entry.calls--;
    if (entry.calls > 0) return;
    entry.expiry = this.#deadlines.arm(DEFAULTS.keepalive.idleMs, () => {
      this.#drop(plugin, address, entry);
    });
  }

  #drop(plugin: string, address: string, entry: Entry): void {
    entry.expiry?.cancel();
    entry.upstream.release();
    const entries = this.#entriesOf(plugin);
    entries.delete(address);
    if (entries.size === 0) this.#byPlugin.delete(plugin);
  }
}

/** As if the file had an upstream with this node and nothing else set. */
function configOf(address: string, host: string, port: number): UpstreamConfig {
  return {
    id: address,
    type: "roundrobin",
    nodes: [{ kind: "tcp", address, host, port, weight: DEFAULTS.weight }],
    timeout: DEFAULTS.timeout,
    retries: DEFAULTS.retries,
    passHost: "pass",
    upstreamHost: undefined,
    keepalive: DEFAULTS.keepalive,
  };
}
