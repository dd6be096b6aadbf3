import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../support/free-port.ts";
import { startGateway, until } from "../support/gateway.ts";
import { BODY_MAX } from "../support/hostile-requests.ts";
import { RawConnection } from "../support/raw-client.ts";
import { ScriptedNode } from "../support/scripted-node.ts";

export const PROXIES = ["sluice", "nginx", "haproxy"] as const;
export type ProxyName = (typeof PROXIES)[number];

/** A proxy that forwards everything to a node of its own, which answers with the target. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  readonly node: ScriptedNode;
}

export type Proxies = Readonly<Record<ProxyName, Proxy>> & AsyncDisposable;

/** @throws when nginx or HAProxy is not installed */
export async function startProxies(): Promise<Proxies> {
  const stack = new AsyncDisposableStack();
  const start = async (name: ProxyName): Promise<Proxy> => stack.use(await startProxy(name));
  const [sluice, nginx, haproxy] = await Promise.all([
    start("sluice"),
    start("nginx"),
    start("haproxy"),
  ]);
  return { sluice, nginx, haproxy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** @throws when the program is not installed, or does not start */
async function startProxy(name: ProxyName): Promise<Proxy> {
  const node = new ScriptedNode((call) => call.reply("200 OK", [], call.target));
  if (name === "sluice") {
    const gateway = await startGateway(`
listen: { address: 127.0.0.1:0, front: http1 }
workers: 1
limits: { request_body: ${BODY_MAX} }
routes: [{ id: all, uri: /*, upstream: { nodes: { "${node.address}": 1 } } }]
`);
    return { port: gateway.port, node, ...disposing(node, () => gateway[Symbol.asyncDispose]()) };
  }
  const port = freePort();
  const folder = await mkdtemp(join(tmpdir(), `sluice-${name}-`));
  const { file, text, args } = PEERS[name]({ port, node: node.address, folder });
  await Bun.write(join(folder, file), text);
  const child = Bun.spawn([executable(name), ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", Bun.file(join(folder, "stderr"))],
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child.exited;
    await rm(folder, { recursive: true, force: true });
  };
  const isUp = (): Promise<boolean> =>
    RawConnection.open(port).then(
      (raw) => (raw.close(), true),
      () => false,
    );
  await until(async () => (await isUp()) || child.exitCode !== null, Boolean);
  if (child.exitCode !== null) {
    const why = await Bun.file(join(folder, "stderr")).text();
    throw new Error(`Cannot start ${name}: it has ended with ${child.exitCode}\n${why}`);
  }
  return { port, node, ...disposing(node, stop) };
}

/** "1.22" of "nginx version: nginx/1.22.1". */
export function versionOf(name: "nginx" | "haproxy"): string {
  const { stdout, stderr } = Bun.spawnSync([executable(name), "-v"]);
  const told = /\b(\d+\.\d+)\.\d/.exec(`${stdout.toString()}${stderr.toString()}`)?.[1];
  if (told === undefined) throw new Error(`Cannot find the version of ${name}`);
  return told;
}

interface Place {
  readonly port: number;
  /** host:port */
  readonly node: string;
  readonly folder: string;
}

type Peer = (place: Place) => { file: string; text: string; args: readonly string[] };

/** As their manuals configure a plain reverse proxy; nothing is loosened, nothing tightened. */
const PEERS: Readonly<Record<"nginx" | "haproxy", Peer>> = {
  nginx: ({ port, node, folder }) => ({
    file: "nginx.conf",
    text: `daemon off; pid ${folder}/nginx.pid; worker_processes 1; error_log ${folder}/log;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size ${BODY_MAX};
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream node { server ${node}; keepalive 8; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://node; proxy_http_version 1.1;
      proxy_set_header Host $host; proxy_set_header Connection "";
    }
  }
}
`,
    args: ["-p", folder, "-e", `${folder}/log`, "-c", "nginx.conf"],
  }),
  haproxy: ({ port, node }) => ({
    file: "haproxy.cfg",
    text: `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${port}
  default_backend node
backend node
  server node ${node}
`,
    args: ["-db", "-f", "haproxy.cfg"],
  }),
};

function executable(name: "nginx" | "haproxy"): string {
  // Debian keeps servers out of the PATH of those who are not root.
  const path = Bun.which(name, { PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin` });
  if (path === null) throw new Error(`Cannot compare with ${name}: install the package ${name}`);
  return path;
}

function disposing(node: ScriptedNode, stop: () => PromiseLike<unknown>): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      await stop();
      node[Symbol.dispose]();
    },
  };
}
