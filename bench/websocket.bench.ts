/**
 * Question: what does it cost to relay WebSocket messages, against nginx and HAProxy? Each of 64
 * connections sends a message, and the next one when it has come back: 32 bytes of text, or 16 KiB.
 * A message that goes there and back has been relayed twice. Not measured: opening connections,
 * compression, TLS.
 */
import { join } from "node:path";
import type { Echoed } from "./peers/echo-client.ts";
import { prepareNamed } from "./peers/contestants.ts";
import { prepareGateway } from "./peers/contestants/sluice.ts";
import { plainTable } from "./peers/markdown.ts";
import { Place, type Prepared, startPrepared } from "./peers/place.ts";
import { freePort } from "../test/support/free-port.ts";
import { PinnedServer } from "./peers/process.ts";

const CONNECTIONS = 64;
const MS = 3000;
const ROUNDS = 3;
const GATEWAY_CORE = "0";
/** Of the node and the client. */
const LOAD_CORE = "1";

const MESSAGES = {
  "text of 32 bytes": ["text", 32],
  "binary of 16 KiB": ["binary", 16_384],
} as const;
type Message = keyof typeof MESSAGES;

export const cases = Object.keys(MESSAGES) as Message[];

interface Subject {
  readonly name: string;
  /** @returns undefined when it is not installed */
  prepare(place: Place, node: number): Prepared | undefined;
}

const sluice: Subject = {
  name: "sluice",
  prepare: (place, node) =>
    prepareGateway(
      `
listen: 127.0.0.1:${place.port}
workers: 1
upstreams: [{ id: node, nodes: { "127.0.0.1:${node}": 1 } }]
routes: [{ id: all, uri: /*, upstream_id: node }]
`,
    ),
};

const nginx: Subject = {
  name: "nginx",
  prepare({ folder, port }, node) {
    if (Bun.which("nginx") === null) return undefined;
    const configuration = `
daemon off; pid ${folder}/nginx.pid; worker_processes 1; error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://127.0.0.1:${node};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $http_host;
    }
  }
}
`;
    const cmd = ["nginx", "-p", folder, "-c", "nginx.conf"];
    return { files: { "nginx.conf": configuration }, command: { cmd, cwd: folder } };
  },
};

const haproxy: Subject = {
  name: "HAProxy",
  prepare: (place, node) => prepareNamed("HAProxy", { workers: 1, filters: [] }, place, node),
};

async function startNode(): Promise<PinnedServer> {
  const port = freePort();
  const cmd = [process.execPath, join(import.meta.dir, "peers/echo-node.ts"), String(port)];
  return PinnedServer.start({ cmd, cwd: import.meta.dir }, LOAD_CORE, port);
}

interface Run extends Echoed {
  /** µs of the gateway's processor time per relayed message. */
  readonly cpu: number;
}

async function run(
  server: PinnedServer,
  message: Message,
  connections: number,
  ms: number,
): Promise<Run> {
  const before = server.cpu();
  const client = join(import.meta.dir, "peers/echo-client.ts");
  const args = [...MESSAGES[message], connections, ms].map(String);
  const url = `ws://127.0.0.1:${server.port}/`;
  const child = Bun.spawn({
    cmd: ["taskset", "-c", LOAD_CORE, process.execPath, client, url, ...args],
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`Cannot trust a run on port ${server.port}`);
  const after = server.cpu();
  const echoed = JSON.parse(output) as Echoed;
  const micros = after.user + after.system - before.user - before.system;
  return { ...echoed, cpu: micros / (2 * echoed.echoes) };
}

export async function check(): Promise<void> {
  await using place = await Place.create();
  await using node = await startNode();
  const prepared = sluice.prepare(place, node.port);
  if (prepared === undefined) throw new Error("Cannot find the gateway");
  await using server = await startPrepared(prepared, place, GATEWAY_CORE);
  for (const message of cases) {
    const { echoes } = await run(server, message, 4, 200);
    if (echoes < 4) throw new Error(`Cannot trust this benchmark: ${echoes} came back`);
  }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function row(name: string, runs: readonly Run[]): string[] {
  const rates = runs.map(({ echoes, micros }) => (2 * echoes) / (micros / 1e6));
  const costs = runs.map(({ cpu }) => cpu);
  const [lowest, highest] = [Math.min(...costs), Math.max(...costs)].map((us) => us.toFixed(1));
  const cost = `${middle(costs).toFixed(1)} (${lowest} to ${highest})`;
  return [name, Math.round(middle(rates)).toLocaleString("en"), cost];
}

if (import.meta.main) {
  const message = (Bun.argv[2] ?? cases[0]) as Message; // One case per process.
  await using stack = new AsyncDisposableStack();
  const node = stack.use(await startNode());
  const running: { name: string; server: PinnedServer; runs: Run[] }[] = [];
  const rows: string[][] = [];
  for (const subject of [sluice, nginx, haproxy]) {
    const place = stack.use(await Place.create());
    const prepared = subject.prepare(place, node.port);
    if (prepared === undefined) {
      rows.push([subject.name, "not installed", ""]);
      continue;
    }
    const server = stack.use(await startPrepared(prepared, place, GATEWAY_CORE));
    await run(server, message, CONNECTIONS, MS / 3); // Nothing is optimised before.
    running.push({ name: subject.name, server, runs: [] });
  }
  for (let n = 0; n < ROUNDS; n++) {
    for (const { server, runs } of running) runs.push(await run(server, message, CONNECTIONS, MS));
  }
  rows.unshift(...running.map(({ name, runs }) => row(name, runs)));
  const head = [message, "relayed messages per second", "CPU µs per relayed message"];
  process.stdout.write(`${plainTable(head, rows)}\n`);
}
