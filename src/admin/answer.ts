import { messageOf, toGatewayError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { GatewayStatus } from "../gateway/gateway-status.ts";
import { MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { Answer, Incoming } from "../proxy/front/front.ts";
import { hostProblem } from "./host-check.ts";
import { metricsPage } from "./metrics-page.ts";
import { errorPage, type Page } from "./page.ts";
import { readyPage } from "./ready-page.ts";
import { statusPage } from "./status-page.ts";

type Render = (status: GatewayStatus) => Page;

const PAGES: ReadonlyMap<string, Render> = new Map<string, Render>([
  ["/ready", readyPage],
  ["/status", statusPage],
  ["/metrics", metricsPage],
]);

/** GET and HEAD of three paths; a query means nothing. Nothing of a request is repeated. */
export function answerRequest(
  incoming: Pick<Incoming, "method" | "target" | "version" | "headers" | "body">,
  status: () => GatewayStatus,
): Answer {
  // Nobody reads it: the connection ends with the answer.
  incoming.body?.cancel("the status port takes no bodies");
  const close = incoming.body !== undefined;
  const isHead = incoming.method === "HEAD";
  try {
    const problem = hostProblem(incoming.headers, incoming.version);
    if (problem !== undefined) return toAnswer(errorPage(403, "HOST_REFUSED", problem), close);
    const render = PAGES.get(incoming.target.split("?", 1)[0] ?? "");
    if (render === undefined) {
      const hint = `there are ${[...PAGES.keys()].join(", ")}`;
      return toAnswer(errorPage(404, "NOT_FOUND", hint), close, isHead);
    }
    if (incoming.method !== "GET" && !isHead) {
      const page = errorPage(405, "METHOD_NOT_ALLOWED", "the port is read-only");
      return toAnswer(page, close, false, [["Allow", "GET, HEAD"]]);
    }
    return toAnswer(render(status()), close, isHead);
  } catch (error) {
    log.error("status port has failed", { error: messageOf(error) });
    return toAnswer(errorPage(500, "GATEWAY_INTERNAL", "the log tells more"), true);
  }
}

/** To what was no request: malformed, too long, too slow, or one connection too many. */
export function refuseRequest(thrown: unknown): Answer {
  const error = toGatewayError(thrown);
  log.debug("status port has refused a request", { code: error.code, error: error.message });
  return toAnswer(errorPage(error.status, error.code), true);
}

function toAnswer(
  { status, contentType, text }: Page,
  close: boolean,
  isHead = false,
  more: readonly (readonly [string, string])[] = [],
): Answer {
  const bytes = new TextEncoder().encode(text);
  const headers = HeaderList.from([
    ["Content-Type", contentType],
    // It is old in a second, and no page of another origin is to show it.
    ["Cache-Control", "no-store"],
    ["X-Content-Type-Options", "nosniff"],
    ["Cross-Origin-Resource-Policy", "same-origin"],
    ...more,
  ]);
  if (isHead) headers.append("Content-Length", String(bytes.byteLength));
  const body = isHead ? undefined : new MemoryBody(bytes);
  return { status, headers, body, tunnel: undefined, tunnelIdleMs: 0, close };
}
