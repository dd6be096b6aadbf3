import type { Server } from "bun";
import { LIMITS } from "../base/limits.ts";
import { Call } from "./call.ts";
import { ANSWERS } from "./endpoints/answers.ts";
import { BYTES } from "./endpoints/bytes.ts";
import { INSPECT } from "./endpoints/inspect.ts";
import { echoSocket, SOCKET } from "./endpoints/socket.ts";
import { TIMED } from "./endpoints/timed.ts";
import { type Endpoint, Router } from "./router.ts";

/** Where to listen: port 0 lets the system choose; a path that starts with NUL is abstract. */
export type HttpbinOptions =
  | { readonly host: string; readonly port: number }
  | { readonly unix: string };

export interface HttpbinServer {
  /** "127.0.0.1:8080", or "unix:/path" with "@" for the NUL of an abstract name. */
  readonly address: string;
  /** Undefined on a unix socket. */
  readonly port: number | undefined;
  /** Closes every connection at once; idempotent. */
  stop(): Promise<void>;
}

const ENDPOINTS: readonly Endpoint[] = [
  { path: "/", methods: ["GET"], about: "this page", answer: listEndpoints },
  ...INSPECT,
  ...ANSWERS,
  ...TIMED,
  ...BYTES,
  ...SOCKET,
];

/**
 * An upstream to try a gateway with: httpbin's endpoints and answers, and a few more.
 * @throws when the address is in use or not allowed
 */
export function serveHttpbin(options: HttpbinOptions): HttpbinServer {
  const router = new Router(ENDPOINTS);
  const shared = {
    fetch: (request: Request, server: Server<undefined>) => answer(router, request, server),
    websocket: echoSocket,
    maxRequestBodySize: LIMITS.httpbinUploadBytesMax,
  };
  if ("unix" in options) {
    // The types know no idle timeout of a unix socket; the server does, and its default is 10 s.
    const idle = { idleTimeout: IDLE_SECONDS } as unknown as { idleTimeout?: never };
    const server = Bun.serve({ ...shared, ...idle, unix: options.unix });
    const address = `unix:${options.unix.replace(/^\0/, "@")}`;
    return { address, port: undefined, stop: () => server.stop(true) };
  }
  const { host, port } = options;
  const server = Bun.serve({ ...shared, hostname: host, port, idleTimeout: IDLE_SECONDS });
  const shownHost = host.includes(":") ? `[${host}]` : host;
  const address = `${shownHost}:${server.port}`;
  return { address, port: server.port, stop: () => server.stop(true) };
}

/** Between two requests; the longest that the server knows, so that pools keep connections. */
const IDLE_SECONDS = 255;

function answer(
  router: Router,
  request: Request,
  server: Server<undefined>,
): Promise<Response | undefined> {
  // Delays and slow readers are what these endpoints are for: no timeout while one is at work.
  server.timeout(request, 0);
  return router.answer(new Call(request, server));
}

function listEndpoints(): Response {
  const rows = ENDPOINTS.map(({ path, methods, about }) => {
    return `${(methods.join(" ") || "any").padEnd(16)} ${path.padEnd(22)} ${about}`;
  });
  return new Response(`The embedded upstream\n\n${rows.join("\n")}\n`, {
    headers: { "Content-Type": "text/plain; charset=utf-8" },
  });
}
