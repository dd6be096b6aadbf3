import type { RunOptions } from "../../src/plugin-run/run-options.ts";
import type { Step } from "./probe.ts";

/** The callbacks of an exchange, in the order in which they come. */
const OF_EXCHANGES = [
  "proxy_on_context_create",
  "proxy_on_request_headers",
  "proxy_on_request_body",
  "proxy_on_request_trailers",
  "proxy_on_response_headers",
  "proxy_on_response_body",
  "proxy_on_response_trailers",
  "proxy_on_log",
  "proxy_on_done",
  "proxy_on_delete",
] as const;

/** All callbacks of an exchange. @param but what some of them do instead of nothing */
export function every(
  but: Readonly<Record<string, Step | readonly Step[]>> = {},
): Record<string, Step | readonly Step[]> {
  return { ...Object.fromEntries(OF_EXCHANGES.map((name) => [name, {}])), ...but };
}

export const NO_BODY: RunOptions = { request: { method: "GET" }, upstream: { status: 304 } };

export const WITH_BODIES: RunOptions = {
  request: { method: "POST", body: ["ab", "c"] },
  upstream: { body: ["de", "f"] },
};
