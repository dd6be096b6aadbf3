import { assert } from "../base/assert.ts";
import type { NodeConfig, UpstreamConfig } from "../config/config.ts";
import type { ConnectTarget } from "./client/connection.ts";
import { NodePool } from "./client/pool.ts";
import { GrpcNode } from "./grpc/grpc-node.ts";

export interface NodePoolsOptions {
  /** Where the gateway's own upstream listens, for nodes that are written `builtin:NAME`. */
  readonly resolveBuiltin: (name: string) => ConnectTarget;
}

interface Entry {
  readonly key: string;
  readonly pool: NodePool;
  /** Its HTTP/2 sides by owner, of those that have asked for one and may still use it. */
  readonly grpc: Map<string, GrpcNode>;
  readonly newGrpc: () => GrpcNode;
  /** Upstreams that name the node. */
  users: number;
}

/**
 * The connection pools of one worker, shared by its generations: a reload that keeps a node keeps
 * its connections.
 *
 *   generation 7  users ──┐
 *                         ├──▶ 10.0.0.1:8080  NodePool   users: 2
 *   generation 8  users ──┘
 *   generation 8  orders ────▶ 10.0.0.2:8080  NodePool   users: 1
 *
 * Nodes with other keepalive settings are other pools, so that no setting is a compromise.
 */
export class NodePools {
  readonly #options: NodePoolsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #entryOf = new Map<NodePool, Entry>();

  constructor(options: NodePoolsOptions) {
    this.#options = options;
  }

  /** Number of pools. */
  get size(): number {
    return this.#entries.size;
  }

  /** The pool of a node, which lives until release() was called as often as this. */
  acquire(node: NodeConfig, keepalive: UpstreamConfig["keepalive"]): NodePool {
    const key = keyOf(node, keepalive);
    const entry = this.#entries.get(key) ?? this.#create(key, node, keepalive);
    entry.users++;
    return entry.pool;
  }

  /** The HTTP/2 side of a node that has been acquired: each owner has one of its own. */
  grpcOf(pool: NodePool, owner: string): GrpcNode {
    const entry = this.#entryOf.get(pool);
    assert(entry !== undefined, `Cannot use the pool of ${pool.address} after its release`);
    const known = entry.grpc.get(owner);
    if (known !== undefined) return known;
    // Owners come and go with configurations; a node may stay for ever.
    for (const [name, grpc] of entry.grpc) if (!grpc.isConnected) entry.grpc.delete(name);
    const made = entry.newGrpc();
    entry.grpc.set(owner, made);
    return made;
  }

  release(pool: NodePool): void {
    const entry = this.#entryOf.get(pool);
    assert(entry !== undefined, `Cannot release the pool of ${pool.address} more than once`);
    entry.users--;
    if (entry.users > 0) return;
    this.#entries.delete(entry.key);
    this.#entryOf.delete(pool);
    pool.retire();
    for (const grpc of entry.grpc.values()) grpc.retire();
  }

  #create(key: string, node: NodeConfig, keepalive: UpstreamConfig["keepalive"]): Entry {
    const shared = {
      target: this.#targetOf(node),
      address: node.address,
      idleMs: keepalive.idleMs,
    };
    const pool = new NodePool({
      ...shared,
      idleMax: keepalive.size,
      exchangesMax: keepalive.requests,
    });
    const newGrpc = (): GrpcNode => new GrpcNode(shared);
    const entry: Entry = { key, pool, grpc: new Map(), newGrpc, users: 0 };
    this.#entries.set(key, entry);
    this.#entryOf.set(pool, entry);
    return entry;
  }

  #targetOf(node: NodeConfig): ConnectTarget {
    if (node.kind === "tcp") return { host: node.host, port: node.port };
    if (node.kind === "unix") return { unix: node.path };
    return this.#options.resolveBuiltin(node.name);
  }
}

function keyOf(node: NodeConfig, keepalive: UpstreamConfig["keepalive"]): string {
  const { size, idleMs, requests } = keepalive;
  return JSON.stringify([placeOf(node), size, idleMs, requests]);
}

function placeOf(node: NodeConfig): readonly (string | number)[] {
  if (node.kind === "tcp") return [node.host, node.port];
  return node.kind === "unix" ? [node.path] : [node.kind, node.name];
}
