import type { Gateway } from "../e2e/support/gateway.ts";
import { rssBytes } from "../e2e/support/processes.ts";
import type { Attack } from "./catalogue.ts";
import { drive, type Driven } from "./drive.ts";
import { HonestClients } from "./honest-clients.ts";
import { honestRequests, startGatewayUnder } from "./hostile-gateway.ts";
import { HostileGrpcNode } from "./hostile-grpc-node.ts";
import { SilentNode, StrictNode } from "./strict-node.ts";

/** Guests that are driven at the same time. */
const LANES = 4;

/** One gateway with these guests, all of them attacking, and honest clients beside them. */
export class Siege implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly honest: HonestClients;
  readonly node: StrictNode;
  readonly grpc: HostileGrpcNode;
  /** Process ids at the start. */
  readonly workers: readonly number[];
  /** bytes; the most that one worker had, seen after each guest. */
  peakBytes = 0;
  readonly #results = new Map<string, Promise<Driven>>();
  readonly #disposables: AsyncDisposableStack;

  private constructor(
    gateway: Gateway,
    nodes: { node: StrictNode; grpc: HostileGrpcNode },
    disposables: AsyncDisposableStack,
  ) {
    this.gateway = gateway;
    this.node = nodes.node;
    this.grpc = nodes.grpc;
    this.#disposables = disposables;
    this.workers = gateway.workers();
    this.honest = HonestClients.start(gateway.port, honestRequests());
  }

  /** @param runs attacks per guest, shared between its kinds of instances */
  static async start(attacks: readonly Attack[], runs: number): Promise<Siege> {
    await using disposables = new AsyncDisposableStack();
    const node = disposables.use(new StrictNode());
    const silent = disposables.use(new SilentNode());
    const grpc = disposables.use(new HostileGrpcNode());
    const nodes = { strict: node.address, silent: silent.address, grpc: grpc.address };
    const gateway = disposables.use(await startGatewayUnder(attacks, nodes));
    const siege = new Siege(gateway, { node, grpc }, disposables.move());
    siege.#begin(attacks, runs);
    return siege;
  }

  /** What became of one attack; waits for it. */
  async result(name: string): Promise<Driven> {
    const result = this.#results.get(name);
    if (result === undefined) throw new Error(`Cannot find the attack ${name}`);
    return result;
  }

  /** Waits until every attack is over, and the honest clients have their last answers. */
  async over(): Promise<void> {
    await Promise.allSettled(this.#results.values());
    await this.honest.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.honest.stop();
    await this.#disposables.disposeAsync();
  }

  #begin(attacks: readonly Attack[], runs: number): void {
    const lanes = Array.from({ length: LANES }, () => Promise.resolve());
    for (const [index, attack] of attacks.entries()) {
      const { instances, runsMax = Infinity } = attack.guest;
      const mine = Math.min(Math.ceil(runs / (instances?.length ?? 2)), runsMax);
      const begin = (): Promise<Driven> => this.#drive(attack, mine);
      // Slow ones wait for most of their time, and keep nobody.
      if (attack.guest.slowRuns !== undefined) {
        this.#results.set(attack.name, begin());
        continue;
      }
      const lane = index % LANES;
      const driven = (lanes[lane] ?? Promise.resolve()).then(begin);
      this.#results.set(attack.name, driven);
      lanes[lane] = driven.then(
        () => {},
        () => {},
      );
    }
  }

  async #drive(attack: Attack, runs: number): Promise<Driven> {
    const [honest] = this.honest.requests;
    if (honest === undefined) throw new Error("Cannot probe: there is no honest request");
    const driven = await drive(this.gateway.port, attack, runs, honest);
    const largest = Math.max(...this.workers.map((pid) => rssBytes([pid])));
    this.peakBytes = Math.max(this.peakBytes, largest);
    return driven;
  }
}
