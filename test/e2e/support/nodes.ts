import type { Server } from "bun";
import { RawNode, type RawPeer } from "../../support/raw-node.ts";

/** An upstream node for a test. */
export interface TestNode extends AsyncDisposable {
  /** "127.0.0.1:port", as it is written under `nodes`. */
  readonly address: string;
  readonly port: number;
  /** Requests that have arrived. */
  readonly requests: number;
}

/** What an echo node answers, as JSON. */
export interface Echo {
  /** Which of several nodes has answered. */
  readonly node: string;
  readonly method: string;
  /** Path and query as they arrived, dot segments resolved. */
  readonly target: string;
  /** Lower-case names; repeated lines joined by ", ". */
  readonly headers: Record<string, string>;
  /** latin-1 */
  readonly body: string;
}

/** Answers every request with an Echo. @param name shown in it, and in the header X-Node */
export function echoNode(name = "echo"): TestNode {
  return serveNode(async (request) => {
    const url = new URL(request.url);
    const echo: Echo = {
      node: name,
      method: request.method,
      target: url.pathname + url.search,
      headers: Object.fromEntries(request.headers),
      body: Buffer.from(await request.arrayBuffer()).toString("latin1"),
    };
    return Response.json(echo, { headers: { "X-Node": name } });
  });
}

/** Any handler as a node. */
export function serveNode(
  answer: (request: Request, server: Server<undefined>) => Response | Promise<Response>,
): TestNode {
  let requests = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 255,
    fetch: (request, itself) => {
      requests++;
      itself.timeout(request, 0);
      return answer(request, itself);
    },
  });
  const port = server.port ?? 0;
  return {
    address: `127.0.0.1:${port}`,
    port,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

export interface HeldNode extends TestNode {
  /** Answers that are being held back. */
  readonly held: number;
  /** Resolves when that many answers are held back. */
  untilHeld(count: number): Promise<void>;
  /** Lets all answers go that wait, and all later ones. */
  release(): void;
}

/** Takes requests and answers "released" only after release(): slow for as long as a test likes. */
export function heldNode(): HeldNode {
  const gate = Promise.withResolvers<void>();
  const watchers: { count: number; resolve: () => void }[] = [];
  let held = 0;
  const node = serveNode(async () => {
    held++;
    for (const { count, resolve } of watchers) if (held >= count) resolve();
    await gate.promise;
    held--;
    return new Response("released");
  });
  const { address, port } = node;
  return {
    address,
    port,
    get requests() {
      return node.requests;
    },
    get held() {
      return held;
    },
    untilHeld: (count) => {
      if (held >= count) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.push({ count, resolve });
      return promise;
    },
    release: () => gate.resolve(),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

export interface RawAnswering extends TestNode {
  /** Request heads as they came, latin-1, their empty lines included. */
  readonly heads: readonly string[];
}

/**
 * Answers every request head with the same bytes, whatever they are; it does not understand bodies
 * of requests. It closes the connection behind its answer unless `keepOpen`.
 * @param answer latin-1 when it is a string; undefined for no byte at all
 */
export function rawNode(
  answer: string | Uint8Array | undefined,
  options: { readonly keepOpen?: boolean } = {},
): RawAnswering {
  const node = new RawNode();
  const heads: string[] = [];
  const bytes = typeof answer === "string" ? Buffer.from(answer, "latin1") : answer;
  const serve = async (peer: RawPeer): Promise<void> => {
    for (let from = 0; ;) {
      await peer.until(() => headIn(peer, from) !== undefined);
      const head = headIn(peer, from) ?? "";
      heads.push(head);
      from += head.length;
      if (bytes !== undefined) peer.write(bytes);
      if (options.keepOpen === true) continue;
      await peer.until(() => peer.unsent === 0);
      peer.end();
      return;
    }
  };
  const accept = async (): Promise<void> => {
    for (;;) {
      const peer = await node.accept();
      void serve(peer).catch(() => {}); // The other side has gone first.
    }
  };
  void accept();
  return {
    address: `127.0.0.1:${node.port}`,
    port: node.port,
    heads,
    get requests() {
      return heads.length;
    },
    [Symbol.asyncDispose]: () => {
      node.stop();
      return Promise.resolve();
    },
  };
}

/** The request head that starts at `from`, its empty line included. */
function headIn(peer: RawPeer, from: number): string | undefined {
  const text = Buffer.from(peer.received).toString("latin1", from);
  const end = text.indexOf("\r\n\r\n");
  return end < 0 ? undefined : text.slice(0, end + 4);
}

/** An address that refuses connections: it was bound a moment ago, and nobody listens there. */
export function refusingAddress(): string {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return `127.0.0.1:${port}`;
}
