import { assert } from "../base/assert.ts";
import type { TurnTaking } from "../base/turns.ts";
import type { NodeConfig, TimeoutConfig, UpstreamConfig } from "../config/config.ts";
import { RoundRobin } from "./balancer/round-robin.ts";
import { starts } from "./client/start-queue.ts";
import { Forwarding, type Destination, type PooledNode } from "./forwarding.ts";
import type { GrpcEvents } from "./grpc/grpc-answer.ts";
import { GrpcCall, type GrpcCallRequest, type GrpcPeer } from "./grpc/grpc-call.ts";
import type {
  ForwardOptions,
  ResponseObserver,
  UpstreamRequest,
  UpstreamResponse,
} from "./message.ts";
import type { NodePools } from "./node-pools.ts";

/** The nodes of one upstream of one generation. */
export class Upstream {
  readonly id: string;
  /** Of its configuration; a route, and a call-out, may ask for others. */
  readonly timeout: TimeoutConfig;
  readonly #pools: NodePools;
  readonly #nodes: readonly PooledNode[];
  readonly #destination: Destination;
  #released = false;

  constructor(config: UpstreamConfig, pools: NodePools) {
    this.id = config.id;
    this.timeout = config.timeout;
    this.#pools = pools;
    this.#nodes = config.nodes.map((node) => {
      const pool = pools.acquire(node, config.keepalive);
      return { config: node, weight: node.weight, pool, host: hostOf(node, config) };
    });
    const balancer = new RoundRobin(this.#nodes);
    this.#destination = { upstreamId: config.id, balancer, retries: config.retries };
  }

  /**
   * Sends a request to a node, to others when that fails and may be repeated.
   *
   * The request body belongs to this call: it is read as the node takes it, and cancelled when the
   * exchange has ended. Errors after the response head come from its body's read().
   *
   * Not for guests: exchanges that have waited for this one to come may begin within this call.
   */
  send(request: UpstreamRequest, options: ForwardOptions, observer: ResponseObserver): void {
    new Forwarding(this.#destination, request, options, observer).run();
    starts.flushIfDue();
  }

  /**
   * send() for who waits with a promise, guests among them: nothing of other exchanges happens
   * within this call. @throws GatewayError (rejects with it)
   */
  forward(request: UpstreamRequest, options: ForwardOptions): Promise<UpstreamResponse> {
    return new Promise((responded, failed) => {
      new Forwarding(this.#destination, request, options, { responded, failed }).run();
    });
  }

  /**
   * Begins a gRPC call or stream: with a node, or with others as long as there is no connection.
   * @see GrpcCall for its events, and the turns in which they are told
   */
  openGrpc(request: GrpcCallRequest, events: GrpcEvents, turns?: TurnTaking): GrpcCall {
    const { balancer, retries } = this.#destination;
    const tried: PooledNode[] = [];
    const next = (): GrpcPeer | undefined => {
      // A released upstream has no nodes any more.
      const node = this.#released || tried.length > retries ? undefined : balancer.pick(tried);
      if (node === undefined) return undefined;
      tried.push(node);
      const own = node.config.kind === "tcp" ? node.config.address : "localhost";
      return { node: this.#pools.grpcOf(node.pool, request.owner), authority: node.host ?? own };
    };
    return new GrpcCall(request, events, next, this.timeout.connectMs, turns);
  }

  /** Its generation is over: nodes that no other one names lose their idle connections. */
  release(): void {
    assert(!this.#released, `Cannot release upstream "${this.id}" twice`);
    this.#released = true;
    for (const node of this.#nodes) this.#pools.release(node.pool);
  }
}

/** `pass_host`: the name that a node is called by; undefined: what the client called. */
function hostOf(node: NodeConfig, { passHost, upstreamHost }: UpstreamConfig): string | undefined {
  if (passHost === "pass") return undefined;
  if (passHost === "rewrite") return upstreamHost ?? "localhost";
  // A socket or a built-in node has no name that could stand in a Host line.
  return node.kind === "tcp" ? node.address : "localhost";
}
