import { StreamContext } from "../../src/abi/proxy-wasm/context.ts";
import type { Guest } from "../../src/abi/proxy-wasm/guest.ts";
import { FakeFilterHost } from "../../src/abi/proxy-wasm/testing.ts";
import { HeaderList } from "../../src/http/headers.ts";

/** What a browser sends and what a node answers, without bodies: 10 and 8 headers. */
const REQUEST = [
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
  ["accept-language", "en-GB,en;q=0.5"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["referer", "https://shop.example.com/catalogue/garden?page=4"],
  ["cookie", "session=8d3b5f0c2a914e7f9b6a; theme=dark; consent=2026-01-12"],
  ["sec-fetch-dest", "document"],
  ["sec-fetch-mode", "navigate"],
  ["x-request-id", "b2c8a5d0-1f5e-4a39-9c0e-6e4f8f1a7d21"],
  ["x-forwarded-for", "203.0.113.7"],
] as const;

const RESPONSE = [
  ["content-type", "text/html; charset=utf-8"],
  ["content-length", "18311"],
  ["cache-control", "private, max-age=0"],
  ["date", "Tue, 03 Mar 2026 10:00:00 GMT"],
  ["etag", '"6f1-5e3a9c0e"'],
  ["server", "nginx"],
  ["vary", "accept-encoding"],
  ["x-frame-options", "SAMEORIGIN"],
] as const;

/** An exchange as the chain hands it to a filter. Made ahead, it is not what is measured. */
export function newExchange(): FakeFilterHost {
  const host = new FakeFilterHost();
  for (const [name, value] of REQUEST) host.request.headers.append(name, value);
  return host;
}

/** One exchange in one guest, with headers only. @throws GatewayError when the guest traps */
export function run(guest: Guest, host: FakeFilterHost): void {
  const filter = StreamContext.create(guest, host);
  filter.onRequestHeaders(true);
  host.response = { status: 200, headers: HeaderList.from(RESPONSE) };
  filter.onResponseHeaders(true);
  filter.onEnd();
}

/** All headers after an exchange, to compare one way of running a guest with another. */
export function outcome(guest: Guest): string {
  const host = newExchange();
  run(guest, host);
  return JSON.stringify([[...host.request.headers], [...(host.response?.headers ?? [])]]);
}
