import type { CallOutRequest } from "./filter.ts";

/** What is kept of a call-out until it has its answer: a guest may put a MiB into its headers. */
export function callOutBytes({ headers, body, trailers }: CallOutRequest): number {
  return headers.byteLength + body.byteLength + trailers.byteLength;
}
