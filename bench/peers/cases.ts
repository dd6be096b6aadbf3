import type { Setup } from "./contestant.ts";
import type { Filter } from "./filters.ts";
import type { Load } from "./load.ts";

export interface Case {
  readonly name: string;
  readonly setup: Setup;
  /** What the setup's cost is compared with, in the same rounds. */
  readonly base?: Setup;
  readonly load: Load;
}

const PLAIN: Setup = { workers: 1, filters: [] };
const SMALL: Load = { connections: 64, path: "/" };

function plain(name: string, load: Partial<Load>): Case {
  return { name, setup: PLAIN, load: { ...SMALL, ...load } };
}

function large(name: string, load: Partial<Load>): Case {
  return { ...plain(name, load), setup: { ...PLAIN, largeBodies: true } };
}

/** @returns a case whose base has the same load and no filter */
function filtered(name: string, filters: readonly Filter[], perRequest = false): Case {
  const setup = { ...PLAIN, filters, ...(perRequest ? { perRequest } : {}) };
  return { name, setup, base: PLAIN, load: SMALL };
}

function bodyFilter(name: string, path: string, connections: number): Case {
  const base = { ...PLAIN, heldBytes: 16_777_216 };
  return { name, setup: { ...base, filters: ["body"] }, base, load: { connections, path } };
}

/** Few, so that what the end of a run cuts off does not count for much. */
const LARGE_CONNECTIONS = 4;

export const CASES: readonly Case[] = [
  plain("no filter, 32 connections", { connections: 32 }),
  plain("no filter, 64 connections", {}),
  plain("no filter, 256 connections", { connections: 256 }),
  plain("no filter, 1024 connections", { connections: 1024 }),
  plain("no filter, 64 connections, h2load", { generator: "h2load" }),
  plain("no filter, a connection for each request", { churns: true }),
  {
    name: "TLS, 64 connections",
    setup: { ...PLAIN, tls: true },
    load: { ...SMALL, tls: true },
  },
  filtered("1 Rust header filter", ["rust"]),
  filtered("3 Rust header filters", Array<Filter>(3).fill("rust")),
  filtered("10 Rust header filters", Array<Filter>(10).fill("rust")),
  filtered("1 Rust header filter, per request", ["rust"], true),
  filtered("1 C header filter", ["c"]),
  filtered("1 C header filter, per request", ["c"], true),
  filtered("1 AssemblyScript header filter", ["assemblyscript"]),
  bodyFilter("body filter, 1 KiB", "/1024", 64),
  bodyFilter("body filter, 100 KiB", "/102400", 64),
  bodyFilter("body filter, 10 MiB", "/10485760", LARGE_CONNECTIONS),
  plain("POST 1 KiB", { path: "/post", postBytes: 1024 }),
  large("POST 100 KiB", { path: "/post", postBytes: 102_400 }),
  plain("response of 4 KiB", { path: "/4096" }),
  plain("response of 20 KiB", { path: "/20480" }),
  plain("response of 100 KiB", { path: "/102400" }),
  large("response of 10 MiB", { path: "/10485760", connections: LARGE_CONNECTIONS }),
  {
    name: "10,000 routes",
    setup: { ...PLAIN, routes: 10_000 },
    base: PLAIN,
    load: { ...SMALL, path: "/item9999/", items: 10_000 },
  },
  { name: "2 workers", setup: { ...PLAIN, workers: 2 }, base: PLAIN, load: SMALL },
];

/** What is asked about often and is not in the table, with the reason. */
export const NOT_MEASURED = [
  "TLS towards the upstream: Sluice does not have it yet, so there is nothing to compare.",
  "TLS handshakes: wrk keeps its connections, so they hardly count.",
  "A sandbox for each request in Envoy: it keeps one guest per thread, and there is no such mode.",
  "10,000 routes in HAProxy, Caddy and Envoy: only nginx has a list of paths as its usual form.",
];
