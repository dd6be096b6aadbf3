/** Which route a request takes, and which node: through both fronts, told by what the nodes see. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, BOTH_FRONTS, failureIn, FRONTS, portOf, request } from "./support/fronts.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { ScriptedNode } from "./support/scripted-node.ts";

const started = new AsyncDisposableStack();
/** Nodes by name; each answers with its name. Every route below has one of its own. */
const nodes = new Map<string, ScriptedNode>();
let gateway: Gateway;

/** Routes: YAML of what they match, by their name. */
const ROUTES: Readonly<Record<string, string>> = {
  exact: "uri: /exact",
  "exact-slash": "uri: /exact/",
  prefix: "uri: /pre/*",
  "longer-prefix": "uri: /pre/fix/*",
  parameter: "uri: /users/:id",
  "parameter-and-more": "uri: /users/:id/posts/:post",
  literal: "uri: /users/me",
  regex: 'uri: "~^/v[0-9]+/[a-z]+$"',
  several: "uris: [/one, /two/*]",
  host: "uri: /host, host: api.a.test",
  wildcard: 'uri: /host, host: "*.a.test"',
  "no-host": "uri: /host",
  hosts: "uri: /hosts, hosts: [b.test, c.test]",
  get: "uri: /method, methods: [GET, HEAD]",
  post: "uri: /method, methods: [POST]",
  low: "uri: /priority/exact",
  high: "uri: /priority/*, priority: 10",
  off: "uri: /off, enabled: false",
};

beforeAll(async () => {
  const addressed: string[] = [];
  for (const name of [...Object.keys(ROUTES), "heavy", "light", "none"]) {
    nodes.set(name, started.use(new ScriptedNode((call) => call.reply("200 OK", [], name))));
  }
  for (const [kind, node] of startAddresses()) {
    addressed.push(`  - { id: ${kind}, uri: /${kind}, upstream: { nodes: { "${node}": 1 } } }`);
  }
  const routes = Object.entries(ROUTES).map(
    ([name, match]) =>
      `  - { id: ${name}, ${match}, upstream: { nodes: { "${address(name)}": 1 } } }`,
  );
  gateway = started.use(
    await startGateway(`${BOTH_FRONTS}
upstreams:
  - id: split
    nodes: { "${address("heavy")}": 3, "${address("light")}": 1, "${address("none")}": 0 }
routes:
${[...routes, ...addressed].join("\n")}
  - { id: split, uri: /split, upstream_id: split }
`),
  );
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("front %s", (front) => {
  const port = (): number => portOf(gateway, front);

  test.each([
    ["GET", "a.test", "/exact", "exact"],
    ["GET", "a.test", "/exact?pre/x", "exact"],
    ["GET", "a.test", "/exact/", "exact-slash"],
    ["GET", "a.test", "/exact/x", "404"],
    ["GET", "a.test", "/Exact", "404"],
    ["GET", "a.test", "/pre/", "prefix"],
    ["GET", "a.test", "/pre/x/y/z", "prefix"],
    ["GET", "a.test", "/pre", "404"],
    ["GET", "a.test", "/pre/fix/x", "longer-prefix"],
    ["GET", "a.test", "/users/7", "parameter"],
    ["GET", "a.test", "/users/a%2Fb", "parameter"],
    ["GET", "a.test", "/users/", "404"],
    ["GET", "a.test", "/users/7/posts/8", "parameter-and-more"],
    ["GET", "a.test", "/users/7/posts", "404"],
    ["GET", "a.test", "/users/me", "literal"],
    ["GET", "a.test", "/v12/abc", "regex"],
    ["GET", "a.test", "/v12/ABC", "404"],
    ["GET", "a.test", "/x/v12/abc", "404"],
    ["GET", "a.test", "/one", "several"],
    ["GET", "a.test", "/two/x", "several"],
    ["GET", "api.a.test", "/host", "host"],
    ["GET", "API.A.TEST:8080", "/host", "host"],
    ["GET", "www.a.test", "/host", "wildcard"],
    ["GET", "x.y.a.test", "/host", "wildcard"],
    ["GET", "a.test", "/host", "no-host"],
    ["GET", "evila.test", "/host", "no-host"],
    ["GET", "c.test", "/hosts", "hosts"],
    ["GET", "c.test.", "/hosts", "hosts"],
    ["GET", "d.test", "/hosts", "404"],
    ["GET", "a.test", "/method", "get"],
    ["POST", "a.test", "/method", "post"],
    ["DELETE", "a.test", "/method", "404"],
    ["GET", "a.test", "/priority/exact", "high"],
    ["GET", "a.test", "/off", "404"],
    ["GET", "a.test", "/", "404"],
  ])("takes %s http://%s%s to %s", async (method, host, target, expected) => {
    const text = request(`${method} ${target}`, ["Content-Length: 0"]);
    const reply = await ask(port(), text.replace("Host: a.test", `Host: ${host}`));
    if (expected === "404") {
      expect(reply.status).toBe(404);
      expect(failureIn(reply).code).toBe("ROUTE_NOT_FOUND");
    } else {
      expect(reply).toMatchObject({ status: 200, body: expected });
      expect(nodes.get(expected)?.calls.at(-1)?.target).toBe(target);
    }
  });

  test.each(["unix", "v6", "name"])("reaches a node by its address: %s", async (kind) => {
    const reply = await ask(port(), request(`POST /${kind}`, ["Content-Length: 5"], "hello"));
    expect(reply).toMatchObject({ status: 200, body: `${kind}: hello` });
  });

  test("spreads requests over nodes exactly by their weights, without bursts", async () => {
    const turns: string[] = [];
    for (let n = 0; n < 40; n++) turns.push((await ask(port(), request("GET /split"))).body);
    const cycles = Array.from({ length: 10 }, (_, n) => turns.slice(4 * n, 4 * n + 4));
    for (const cycle of cycles) {
      expect(cycle.toSorted((a, b) => a.localeCompare(b))).toEqual([
        "heavy",
        "heavy",
        "heavy",
        "light",
      ]);
    }
    expect(nodes.get("none")?.calls).toEqual([]);
  });
});

function address(name: string): string {
  return nodes.get(name)?.address ?? "";
}

/** A node for each kind of address: it answers with the kind and the body. */
function startAddresses(): [kind: string, address: string][] {
  const folder = mkdtempSync(join(tmpdir(), "sluice-routing-"));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  const serve = (kind: string, where: { unix: string } | { hostname: string; port: 0 }): number => {
    const fetch = async (asked: Request) => new Response(`${kind}: ${await asked.text()}`);
    const server = Bun.serve({ ...where, fetch });
    started.defer(() => server.stop(true));
    return server.port ?? 0;
  };
  const unix = join(folder, "node.sock");
  serve("unix", { unix });
  return [
    ["unix", `unix:${unix}`],
    ["v6", `[::1]:${serve("v6", { hostname: "::1", port: 0 })}`],
    ["name", `localhost:${serve("name", { hostname: "localhost", port: 0 })}`],
  ];
}
