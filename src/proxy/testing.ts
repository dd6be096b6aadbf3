import { Cancellation } from "../base/cancellation.ts";
import type { LimitsConfig, TimeoutConfig } from "../config/config.ts";
import type { Plugin } from "../filter/filter.ts";
import { collect, MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import { buildRouter } from "../router/router.ts";
import type { ForwardOptions, UpstreamRequest, UpstreamResponse } from "../upstream/message.ts";
import { handle } from "./exchange.ts";
import { type Answer, answerOf, type Incoming } from "./front/front.ts";
import type { DataPlane, ServedRoute } from "./served.ts";

/** Stand-ins for the generation, the upstreams and the fronts, for tests only. */

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const noTimeout: TimeoutConfig = { connectMs: 0, sendMs: 0, readMs: 0, totalMs: 0, idleMs: 0 };
const limits: LimitsConfig = {
  requestTargetBytes: 100,
  requestHeaderBytes: 1000,
  requestBodyBytes: 10,
  filterBufferBytes: 1000,
  exchangesInFlight: 2,
};

export type Answering = (
  request: UpstreamRequest,
  options: ForwardOptions,
) => Promise<Partial<UpstreamResponse>>;

/** A gateway with a route /*, and others by their uris; their upstream is a function. */
export function gateway(
  answering: Answering = async () => ({}),
  plugins: readonly Plugin[] = [],
  others: Readonly<Record<string, readonly Plugin[]>> = {},
): DataPlane & { lives: number; sent: (UpstreamRequest & { upstream: string })[] } {
  const sent: (UpstreamRequest & { upstream: string })[] = [];
  const valueOf = (id: string, its: readonly Plugin[]): ServedRoute => ({
    id,
    plugins: its,
    timeout: noTimeout,
    upstream: {
      id: upstreamOf(id),
      send(request, options, observer) {
        sent.push({ ...request, upstream: upstreamOf(id) });
        answering(request, options).then(
          (response) => observer.responded({ ...newResponse(), ...response }),
          (error: unknown) => observer.failed(error),
        );
      },
    },
  });
  const rule = { hosts: ["*.test", "a.test"], methods: [], priority: 0 };
  const rules = Object.entries({ "/*": plugins, ...others }).map(([uri, its]) => {
    const id = uri === "/*" ? "all" : uri;
    return { ...rule, id, uris: [uri], value: valueOf(id, its) };
  });
  const plane = {
    inFlight: 0,
    draining: false,
    lives: 0,
    sent,
    current: {
      number: 1,
      limits,
      router: buildRouter(rules),
      enter: () => plane.lives++,
      leave: () => plane.lives--,
    },
  };
  return plane;
}

export function newResponse(): UpstreamResponse {
  return {
    status: 200,
    headers: new HeaderList(),
    body: new MemoryBody(bytes("ok")),
    tunnel: undefined,
    node: { kind: "tcp", host: "10.0.0.1", port: 80, address: "10.0.0.1:80", weight: 1 },
    failed: [],
  };
}

/** handle(), for who waits with a promise. */
export function answerTo(plane: DataPlane, request: Incoming): Promise<Answer> {
  return answerOf((asked, asker) => handle(plane, asked, asker), request);
}

export function incoming(
  changes: Partial<Incoming> & { lines?: [string, string][] } = {},
): Incoming {
  return {
    method: "GET",
    target: "/hello?x=1",
    version: "1.1",
    scheme: "http",
    headers: HeaderList.from(changes.lines ?? [["Host", "a.test"]]),
    body: undefined,
    remoteAddress: "192.0.2.7",
    remotePort: 4711,
    localAddress: "127.0.0.1",
    localPort: 9080,
    upgrade: undefined,
    cancellation: new Cancellation(),
    ...changes,
  };
}

export async function bodyOf(answer: Answer): Promise<string> {
  return answer.body === undefined ? "" : new TextDecoder().decode(await collect(answer.body, 1e6));
}

function upstreamOf(route: string): string {
  return route === "all" ? "app" : `app-${route}`;
}
