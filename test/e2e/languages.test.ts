import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Gateway, startGateway, until } from "./support/gateway.ts";
import { type Echo, serveNode, type TestNode } from "./support/nodes.ts";

const GUESTS = join(import.meta.dir, "../guests");

/** One module for each SDK, with the same filters in it. */
const SDKS = [
  { language: "rust", name: "Rust" },
  { language: "go", name: "Go" },
  { language: "assemblyscript", name: "AssemblyScript" },
] as const;
type Language = (typeof SDKS)[number]["language"];

const INSTANCES = ["shared", "per_request"] as const;
const CASES = SDKS.flatMap((sdk) => INSTANCES.map((instances) => ({ ...sdk, instances })));

/** Uses of the module: path of the route, its configuration. */
const USES = {
  "/hello": "headers",
  "/hello/idle": "hello 50",
  "/headers": "headers",
  "/body/*": "body secret",
  "/config": "config Blue, with: signs",
  "/append-request": "append request  and more",
  "/append-response": "append response  and more",
  "/even": "auth even",
  "/odd": "auth odd",
  "/gone": "auth gone",
  "/denied": "auth denied",
} as const;

interface Nodes extends AsyncDisposable {
  /** Behind all routes. */
  readonly origin: TestNode;
  readonly even: TestNode;
  readonly odd: TestNode;
}

/** Starting a gateway takes seconds with a module in Go: the tests of a case share one. */
describe.each(CASES)(
  "filters on the SDK for $name, $instances",
  ({ language, name, instances }) => {
    let nodes: Nodes;
    let gateway: Gateway;

    beforeAll(async () => {
      nodes = startNodes();
      gateway = await startGateway(yaml(language, instances, nodes));
    });

    afterAll(async () => {
      await gateway[Symbol.asyncDispose]();
      await nodes[Symbol.asyncDispose]();
    });

    test("log every header, and answer in the upstream's place", async () => {
      const init = { method: "POST", body: "hello", headers: { "X-Color": "blue" } };
      await (await gateway.fetch("/headers", init)).text();
      const request = await gateway.logged(/#\d+ > x-color: blue/);
      const id = /#\d+/.exec(request)?.[0] ?? "";
      await gateway.logged(new RegExp(`${id} > :method: POST`));
      await gateway.logged(new RegExp(`${id} > content-length: 5`));
      await gateway.logged(new RegExp(`${id} > :path: /headers`));
      await gateway.logged(new RegExp(`${id} < :status: 200`));
      await gateway.logged(new RegExp(`${id} < x-node: origin`));
      await gateway.logged(new RegExp(`${id} is over`));

      const before = nodes.origin.requests;
      const hello = await gateway.fetch("/hello");
      expect(hello.status).toBe(200);
      expect(hello.headers.get("x-answered-by")).toBe(language);
      expect(await hello.text()).toBe(`Hello from ${name}\n`);
      expect(nodes.origin.requests).toBe(before);
    });

    test("withhold a body that comes in several parts, and let others be", async () => {
      const secret = await gateway.fetch("/body/secret");
      expect(secret.status).toBe(200);
      expect(await secret.text()).toBe(`withheld: ${"Here is a secret for you".length} bytes\n`);
      expect(await (await gateway.fetch("/body/open")).text()).toBe("Here is nothing for you");
    });

    test("add what their configuration says", async () => {
      for (let n = 0; n < 5; n++) {
        const response = await gateway.fetch("/config");
        expect(response.headers.get("x-configured")).toBe("Blue, with: signs");
      }
    });

    test("change bodies each way, and the lengths are right", async () => {
      const init = { method: "POST", body: "x".repeat(70_000) };
      const up = (await (await gateway.fetch("/append-request", init)).json()) as Echo;
      expect(up.body).toBe(`${init.body} and more`);
      const down = await gateway.fetch("/append-response", init);
      const text = await down.text();
      expect(text.endsWith("} and more")).toBe(true);
      expect((JSON.parse(text.slice(0, -" and more".length)) as Echo).body).toBe(init.body);
    });

    test("let the answer to a call-out decide", async () => {
      const paths = ["/even", "/odd", "/gone", "/denied"] as const;
      const before = requestsOf(nodes);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => paths.map((path) => gateway.fetch(path))).flat(),
      );
      for (const [at, answer] of answers.entries()) {
        const mayPass = at % paths.length === 0;
        expect(answer.status).toBe(mayPass ? 200 : 403);
        expect(answer.headers.get("x-gate")).toBe(language);
        const text = await answer.text();
        if (mayPass) expect((JSON.parse(text) as Echo).node).toBe("origin");
        else expect(text).toBe("May not pass\n");
      }
      expect(requestsOf(nodes)).toEqual(before.map((count) => count + 5));
      await gateway.logged(/May not pass: the byte is odd/);
      await gateway.logged(/May not pass: the call has failed/);
      await gateway.logged(/May not pass: the call was refused/);
    });

    test("greet at their start, and tick with clock and random numbers", async () => {
      await gateway.logged(new RegExp(`Hello from ${name}`));
      const ticks = await until(
        () => gateway.lines.map((line) => TICK.exec(line)).filter((found) => found !== null),
        (found) => new Set(found.map(([, , number]) => number)).size > 2,
      );
      for (const seconds of ticks.map(([, each]) => Number(each))) {
        expect(Math.abs(Date.now() / 1000 - seconds)).toBeLessThan(600);
      }
      expect((await gateway.fetch("/hello/idle")).status).toBe(200);
    });
  },
);

const TICK = /It is (\d+) now, and the number is (\d+)/;

function yaml(language: Language, instances: string, nodes: Nodes): string {
  const routes = Object.entries(USES).map(
    ([uri, configuration], at) => `
  - id: r${at}
    uri: ${uri}
    plugins: [{ examples: ${JSON.stringify(configuration)} }]
    upstream_id: origin`,
  );
  return `
listen: 127.0.0.1:0
workers: 1
upstreams:
  - { id: origin, nodes: { "${nodes.origin.address}": 1 } }
  - { id: even, nodes: { "${nodes.even.address}": 1 } }
  - { id: odd, nodes: { "${nodes.odd.address}": 1 } }
  - { id: gone, nodes: { "127.0.0.1:1": 1 } }
  - { id: denied, nodes: { "127.0.0.1:1": 1 } }
wasm:
  plugins:
    - name: examples
      file: ${JSON.stringify(join(GUESTS, `${language}-sdk`, "examples.wasm"))}
      root_id: examples
      instances: ${instances}
      # What is tested here is not how fast a busy machine is.
      limits: { deadline: 2s, total: 10s }
      allow: { http_call: [even, odd, gone] }
routes:${routes.join("")}
`;
}

function startNodes(): Nodes {
  const origin = originNode();
  const even = serveNode(() => new Response(new Uint8Array([2])));
  const odd = serveNode(() => new Response(new Uint8Array([3])));
  return {
    origin,
    even,
    odd,
    [Symbol.asyncDispose]: async () => {
      for (const node of [origin, even, odd]) await node[Symbol.asyncDispose]();
    },
  };
}

function requestsOf({ even, odd, origin }: Nodes): number[] {
  return [even, odd, origin].map((node) => node.requests);
}

/** Sends bodies below /body in parts; everything else is echoed. */
function originNode(): TestNode {
  return serveNode(async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = { "X-Node": "origin" };
    if (pathname.startsWith("/body/")) {
      const what = pathname === "/body/secret" ? ["a sec", "ret"] : ["noth", "ing"];
      return new Response(inParts(["Here is ", ...what, " for you"]), { headers });
    }
    const echo: Echo = {
      node: "origin",
      method: request.method,
      target: pathname + search,
      headers: Object.fromEntries(request.headers),
      body: Buffer.from(await request.arrayBuffer()).toString("latin1"),
    };
    return Response.json(echo, { headers });
  });
}

function inParts(parts: readonly string[]): ReadableStream<Uint8Array> {
  const left = [...parts];
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(0);
      const part = left.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(Buffer.from(part));
    },
  });
}
