/**
 * Question: what does a plugin that asks a node before each request add to the processor time of a
 * request? It sends an HTTP call-out, pauses, and lets the request go on when the answer is there.
 * The gateway has one core and one worker; nginx is the node of requests and call-outs alike.
 * Not measured: large answers, nodes that are slow.
 */
import { join } from "node:path";
import { assemble, pairs, quoted } from "../test/hostile/assemble.ts";
import { callback } from "../test/hostile/guest.ts";
import { prepareGateway } from "./peers/contestants/sluice.ts";
import { runLoad } from "./peers/load.ts";
import { plainTable } from "./peers/markdown.ts";
import { Place, startPrepared } from "./peers/place.ts";
import type { PinnedServer } from "./peers/process.ts";
import { startUpstream } from "./peers/upstream.ts";

const CONNECTIONS = 64;
const SECONDS = 3;
const ROUNDS = 3;
const GATEWAY_CORE = "0";
const LOAD_CORE = "1";

const HEAD = pairs([
  [":method", "GET"],
  [":path", "/"],
  [":authority", "check.test"],
]);

/** Paths by what they go through. */
const ROUTES = {
  "no plugin": "/plain",
  "call-out, shared": "/shared",
  "call-out, per request": "/fresh",
} as const;
type Route = keyof typeof ROUTES;
const NAMES = Object.keys(ROUTES) as Route[];

/** Where it keeps which stream the call-out with that token is for. */
const slot = (token: string): string => `(i32.add #32768 (i32.shl (i32.and ${token} #4095) #2))`;

/** Not before the node has answered with 200 does the request go on. */
function guest(): Uint8Array {
  const status = ":status";
  return assemble(`
    (data (i32.const 256) "node") (data (i32.const 272) "${status}")
    (data (i32.const 512) ${quoted(HEAD)})
    ${callback(
      "request_headers",
      `(call $expect (call $proxy_http_call #256 #4 #512 #${HEAD.byteLength} #0 #0 #0 #0
        #5000 #128) #0)
      (i32.store ${slot("(i32.load #128)")} (local.get $id))`,
      1,
    )}
    ${callback(
      "http_call_response",
      `(call $expect (call $proxy_get_header_map_value #6 #272 #${status.length} #132 #136) #0)
      (call $expect (i32.load8_u (i32.load #132)) #50)
      (drop (call $proxy_set_effective_context (i32.load ${slot("(local.get $token)")})))
      (drop (call $proxy_continue_stream #0))`,
    )}`);
}

function plugin(name: string, instances: string): string {
  return `{ name: ${name}, file: asking.wasm, instances: ${instances}, ${GRANT} }`;
}

const GRANT = "allow: { http_call: [node] }";

async function start(place: Place, node: number): Promise<PinnedServer> {
  const yaml = `
listen: 127.0.0.1:${place.port}
workers: 1
wasm: { plugins: [${plugin("shared", "shared")}, ${plugin("fresh", "per_request")}] }
upstreams: [{ id: node, nodes: { "127.0.0.1:${node}": 1 } }]
routes:
  - { uri: /plain, upstream_id: node, plugins: [${TO_ROOT}] }
  - { uri: /shared, upstream_id: node, plugins: [${TO_ROOT}, shared] }
  - { uri: /fresh, upstream_id: node, plugins: [${TO_ROOT}, fresh] }
`;
  const prepared = prepareGateway(yaml, { "asking.wasm": guest() });
  return startPrepared(prepared, place, GATEWAY_CORE);
}

/** The node answers "/". */
const TO_ROOT = "{ proxy-rewrite: { uri: / } }";

/** @returns µs of the gateway's processor time per request */
async function measure(server: PinnedServer, route: Route): Promise<number> {
  const before = server.cpu();
  const load = { connections: CONNECTIONS, path: ROUTES[route] };
  const { requests } = await runLoad(server.port, load, SECONDS, LOAD_CORE);
  const after = server.cpu();
  return (after.user + after.system - before.user - before.system) / requests;
}

export async function check(): Promise<void> {
  let asked = 0;
  using node = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ headers }) {
      if (headers.get("host") === "check.test") asked++;
      return new Response("up");
    },
  });
  await using place = await Place.create();
  await using server = await start(place, node.port ?? 0);
  for (const name of NAMES) {
    const answer = await fetch(`http://127.0.0.1:${server.port}${ROUTES[name]}`);
    const text = await answer.text();
    const isAsked = asked > 0;
    if (answer.status !== 200 || text !== "up" || isAsked !== (name !== "no plugin")) {
      const seen = `${name}: ${answer.status} ${text}, ${asked} call-outs`;
      throw new Error(`Cannot trust this benchmark: ${seen}`);
    }
    asked = 0;
  }
}

if (import.meta.main) {
  await check();
  await using place = await Place.create();
  await using node = await startUpstream(join(place.folder, "upstream"), LOAD_CORE);
  await using server = await start(place, node.port);
  const found = new Map<Route, number[]>(NAMES.map((name) => [name, []]));
  for (const name of NAMES) await measure(server, name); // Nothing is optimised before.
  for (let n = 0; n < ROUNDS; n++) {
    for (const [name, costs] of found) costs.push(await measure(server, name));
  }
  const middle = (name: Route): number =>
    (found.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
  const rows = NAMES.map((name) => {
    const each = (found.get(name) ?? []).map((us) => us.toFixed(1)).join(", ");
    return [name, middle(name).toFixed(1), (middle(name) - middle("no plugin")).toFixed(1), each];
  });
  const head = ["CPU µs per request", "median", "added", "round by round"];
  process.stdout.write(`${plainTable(head, rows)}\n`);
}
