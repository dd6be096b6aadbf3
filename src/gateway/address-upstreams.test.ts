import { describe, expect, test } from "bun:test";
import { Deadlines } from "../base/deadlines.ts";
import { LIMITS } from "../base/limits.ts";
import { DEFAULTS } from "../config/defaults.ts";
import {
  always,
  forwardOptions,
  nodePools,
  OK,
  RawNode,
  textOf,
  upstreamRequest,
} from "../upstream/testing.ts";
import { AddressUpstreams } from "./address-upstreams.ts";

describe("AddressUpstreams.acquire()", () => {
  test("gives an upstream that reaches the address, by number and by name", async () => {
    using node = new RawNode(always(OK));
    const { upstreams } = open();
    for (const host of ["127.0.0.1", "localhost"]) {
      const lease = upstreams.acquire("waf", host, node.port);
      const response = await lease?.upstream.forward(upstreamRequest(), forwardOptions());
      expect(await textOf(response?.body)).toBe("ok");
      lease?.release();
    }
    expect(upstreams.size).toBe(2);
  });

  test("shares one upstream among the calls of a plugin to one address", () => {
    const { upstreams, pools } = open();
    const first = upstreams.acquire("waf", "::1", 80);
    expect(upstreams.acquire("waf", "::1", 80)?.upstream).toBe(first?.upstream);
    expect(upstreams.acquire("waf", "::1", 81)?.upstream).not.toBe(first?.upstream);
    expect(upstreams.acquire("other", "::1", 80)?.upstream).not.toBe(first?.upstream);
    expect([upstreams.size, pools.size]).toEqual([3, 2]);
  });

  test("lets go of one that has been idle for the keepalive time, and of no busy one", () => {
    const { upstreams, pools, pass } = open();
    const lease = upstreams.acquire("waf", "a", 80);
    upstreams.acquire("waf", "b", 80)?.release();
    pass(DEFAULTS.keepalive.idleMs - 100);
    upstreams.acquire("waf", "b", 80)?.release(); // Used again: its time begins anew.
    pass(200);
    expect(upstreams.size).toBe(2);
    pass(DEFAULTS.keepalive.idleMs);
    expect([upstreams.size, pools.size]).toEqual([1, 1]);
    lease?.release();
    pass(DEFAULTS.keepalive.idleMs + 100);
    expect([upstreams.size, pools.size]).toEqual([0, 0]);
  });
});

describe("AddressUpstreams.acquire() errors", () => {
  test("makes room by the one that is idle the longest", () => {
    const { upstreams, pools } = open();
    for (let port = 1; port <= LIMITS.addressUpstreamsMax; port++) {
      upstreams.acquire("waf", "a", port)?.release();
    }
    const first = upstreams.acquire("waf", "a", 1);
    first?.release();
    for (let port = 1001; port < 1001 + 10; port++) upstreams.acquire("waf", "a", port)?.release();
    expect(upstreams.size).toBe(LIMITS.addressUpstreamsMax);
    expect(pools.size).toBe(LIMITS.addressUpstreamsMax);
    expect(upstreams.acquire("waf", "a", 1)?.upstream).toBe(first?.upstream as never);
  });

  test("gives none while all are busy, and takes none from another plugin", () => {
    const { upstreams } = open();
    const leases = Array.from({ length: LIMITS.addressUpstreamsMax }, (_, port) =>
      upstreams.acquire("waf", "a", port + 1),
    );
    expect(upstreams.acquire("waf", "b", 80)).toBeUndefined();
    expect(upstreams.acquire("waf", "a", 1)).toBeDefined(); // It is there already.
    expect(upstreams.acquire("other", "b", 80)).toBeDefined();
    leases[7]?.release();
    expect(upstreams.acquire("waf", "b", 80)).toBeDefined();
  });
});

function open() {
  let now = 0;
  const wheel = new Deadlines(() => now);
  const pools = nodePools();
  return {
    pools,
    upstreams: new AddressUpstreams(pools, wheel),
    pass: (ms: number): void => {
      now += ms;
      wheel.advance();
    },
  };
}
