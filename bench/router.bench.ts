/**
 * Question: does a look-up stay flat from 10 to 10 000 routes, and what does a build cost?
 * Requests are spread over all routes and come as fresh strings, as they do from a socket.
 * Not measured: regular expressions without a literal start, which are tried one by one.
 */
import { bench, do_not_optimize } from "mitata";
import { parseTarget } from "../src/http/target.ts";
import { buildLinearRouter } from "../src/router/linear.testing.ts";
import { buildRouter, type Router, type RouteRule } from "../src/router/router.ts";
import { measure } from "./measure.ts";

export const cases = ["10", "1000", "10000"] as const;

/** What a route looks like, and a request for it. */
const SHAPES = {
  "exact path": { uri: (n: number) => `/item${n}`, host: "", path: (n: number) => `/item${n}` },
  prefix: {
    uri: (n: number) => `/api/v${n}/*`,
    host: "",
    path: (n: number) => `/api/v${n}/users/7`,
  },
  parameters: {
    uri: (n: number) => `/shop${n}/:id/cart/:item`,
    host: "",
    path: (n: number) => `/shop${n}/4711/cart/12`,
  },
  regex: { uri: (n: number) => `~^/re${n}/[0-9]+$`, host: "", path: (n: number) => `/re${n}/4711` },
  "regex of its own": {
    uri: (n: number) => `~^/re${n}/[0-9]{1,${n + 4}}$`,
    host: "",
    path: (n: number) => `/re${n}/4711`,
  },
  "wildcard host": { uri: () => "/*", host: "example.com", path: () => "/users/7" },
} as const;

interface Request {
  readonly host: string;
  readonly path: string;
  /** Id of the route that has to be found; undefined: none. */
  readonly id: string | undefined;
}

type ShapeName = keyof typeof SHAPES;

/** Routes of one shape, or of all in turn; the catch-all of another method never matches. */
function rules(size: number, shapeOf: (n: number) => ShapeName): RouteRule<number>[] {
  return Array.from({ length: size }, (_, n) => {
    const { uri, host } = SHAPES[shapeOf(n)];
    return {
      id: `r${n}`,
      uris: [uri(n)],
      hosts: host === "" ? [] : [`*.t${n}.${host}`],
      methods: n % 2 === 0 ? ["GET", "POST"] : [],
      priority: 0,
      value: n,
    };
  });
}

/** 1024 requests, never one constant: the engine would hoist the call. */
function requests(size: number, shapeOf: (n: number) => ShapeName): Request[] {
  return Array.from({ length: 1024 }, (_, turn) => {
    const n = (turn * 7919) % size;
    const { host, path } = SHAPES[shapeOf(n)];
    const name = host === "" ? "api.example.org" : `a.t${n}.${host}`;
    return { host: name, path: path(n), id: `r${n}` };
  });
}

const NAMES = Object.keys(SHAPES) as ShapeName[];
const mixed = (n: number): ShapeName => NAMES[n % NAMES.length] ?? "prefix";

/** @throws Error when a look-up answers anything but the route that the request is for */
export function check(): void {
  for (const size of [10, 1000]) {
    const table = rules(size, mixed);
    for (const router of [buildRouter(table), buildLinearRouter(table)]) {
      for (const { host, path, id } of requests(size, mixed).slice(0, size)) {
        expectRoute(router, host, path, id);
      }
      expectRoute(router, "api.example.org", "/nowhere/at/all", undefined);
    }
  }
}

function expectRoute(router: Router<number>, host: string, path: string, id?: string): void {
  const found = router.match("GET", host, path)?.rule.id;
  if (found !== id) throw new Error(`Cannot trust this benchmark: ${host}${path} found ${found}`);
}

if (import.meta.main) {
  const size = Number(Bun.argv[2] ?? cases[1]);
  check();
  for (const shape of NAMES) declareLookUp(shape, size, () => shape);
  declareLookUp("all mixed", size, mixed);
  declareMiss(size);
  declareDoor(size);
  const table = rules(size, mixed);
  bench("build", () => do_not_optimize(buildRouter(table)));
  await measure();
}

function declareLookUp(name: string, size: number, shapeOf: (n: number) => ShapeName): void {
  const router = buildRouter(rules(size, shapeOf));
  const asked = requests(size, shapeOf).map(({ host, path }) => [`-${host}`, `-${path}`] as const);
  let turn = 0;
  bench(name, () => {
    const [host, path] = asked[turn++ & 1023] ?? ["", ""];
    // A slice has no hash yet, like a string that was just read.
    do_not_optimize(router.match("GET", host.slice(1), path.slice(1)));
  });
}

function declareMiss(size: number): void {
  const router = buildRouter(rules(size, mixed));
  const paths = Array.from({ length: 1024 }, (_, n) => `-/nowhere${n}/at/all`);
  let turn = 0;
  bench("no route", () => {
    const path = paths[turn++ & 1023] ?? "";
    do_not_optimize(router.match("GET", "api.example.org", path.slice(1)));
  });
}

/** What a request pays in all: its target parsed, then looked up. */
function declareDoor(size: number): void {
  const router = buildRouter(rules(size, mixed));
  const urls = requests(size, mixed).map(({ host, path }) => [host, `http://${host}${path}?a=b`]);
  let turn = 0;
  bench("parseTarget() and all mixed", () => {
    const [host = "", url = ""] = urls[turn++ & 1023] ?? [];
    const target = parseTarget(url);
    if (target.ok) do_not_optimize(router.match("GET", host, target.path));
  });
}
