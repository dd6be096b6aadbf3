import type { Plugin } from "../../src/filter/filter.ts";
import { MemoryBody } from "../../src/http/body.ts";
import { stripHopByHop } from "../../src/http/hop-by-hop.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import type { ServedRoute } from "../../src/proxy/served.ts";
import { meter } from "../../src/wasm/sandbox/meter.ts";
import { bareGuest } from "../exchange/bare-guest.ts";
import { addHeader } from "../exchange/header-filter.ts";
import { newPlane } from "../exchange/plane.ts";
import { admitted, BODY_BYTES, readResponse } from "./heads.ts";
import type { Stage } from "./stage.ts";
import { type Work, work } from "./work.ts";

const GUEST = "rust/add-header.wasm";

export const NO_FILTER: Stage = {
  name: "a chain without filters",
  what: "`FilterChain`: set up, asked both ways, ended",
  work: () => chainOf([], "none, none"),
};

export const ONE_SHARED: Stage = {
  name: "a chain of one shared guest",
  what: "the same chain, and a Rust guest that adds a header each way",
  work: async () => {
    await meter.start();
    return chainOf([await addHeader(GUEST, "shared")], "blue, rust");
  },
  floor: {
    what: "the guest called each way, not metered, by a host that does nothing",
    work: async () => {
      const guest = await bareGuest(GUEST);
      return work({
        prepare: () => guest,
        run: (bare) => {
          const before = bare.added;
          bare.onRequestHeaders();
          bare.onResponseHeaders();
          return bare.added - before;
        },
        reuses: true,
        shown: (added) => added,
        expected: 2,
      });
    },
  },
};

export const ONE_PER_REQUEST: Stage = {
  name: "a chain of one guest per request",
  what: "the same, in a sandbox that is put back to its image",
  work: async () => {
    await meter.start();
    return chainOf([await addHeader(GUEST, "per_request")], "blue, rust");
  },
};

/** @param expected values of the headers that a request and a response have got */
function chainOf(plugins: readonly Plugin[], expected: string): Work {
  const plane = newPlane(plugins);
  const route = plane.current.router.match("GET", "127.0.0.1", "/")?.rule.value;
  if (route === undefined) throw new Error("Cannot trust this benchmark: there is no route");
  return work({
    prepare: () => {
      const { status, headers } = readResponse();
      stripHopByHop(headers);
      return { x: admitted(plane), response: { status, headers } };
    },
    run: ({ x, response }) => runChain(x, route, response),
    shown: (_, { x, response }) => {
      const asked = x.request.headers.get("x-tenant") ?? "none";
      return `${asked}, ${response.headers.get("x-guest") ?? "none"}`;
    },
    expected,
  });
}

function runChain(x: Exchange, route: ServedRoute, response: Exchange["response"]): void {
  x.openChain(route);
  const { chain } = x;
  void chain.requestHeaders(x.requestBody);
  x.requestSent = true;
  x.response = response;
  void chain.responseHeaders(new MemoryBody(BODY_BYTES));
  chain.markResponseSent();
  chain.end();
}
