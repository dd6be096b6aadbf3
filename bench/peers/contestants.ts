import { join } from "node:path";
import type { Command } from "./process.ts";

/** A filter that runs in every contestant that can run it. */
export type Filter = "rust" | "c";

/** What all contestants of a case are to be: the same routes to the same upstream. */
export interface Setup {
  readonly workers: number;
  /** Port of the upstream on 127.0.0.1. */
  readonly upstream: number;
  /** Header filters in a row: one adds a header to requests, and one to responses. */
  readonly filters: readonly Filter[];
  /** Sluice: a pristine sandbox for each request. */
  readonly perRequest?: boolean;
}

export interface Place {
  /** An empty folder for its files. */
  readonly folder: string;
  readonly port: number;
}

export interface Contestant {
  readonly name: string;
  /** Executable, looked up in PATH. */
  readonly executable: string;
  /** It can be what the setup says. */
  suits(setup: Setup): boolean;
  /** @returns its configuration, and the command that starts it in that folder */
  prepare(setup: Setup, place: Place): { files: Record<string, string>; command: Command };
}

const ROOT = join(import.meta.dir, "../..");

/** What the modules do, with this as their configuration. */
const HEADER = { name: "x-tenant", value: "blue" };
const CONFIGURATION = `${HEADER.name}: ${HEADER.value}`;
const moduleOf = (filter: Filter): string => join(ROOT, `test/guests/${filter}/add-header.wasm`);
/** Idle connections to the upstream: more than any case has clients. */
const KEPT_ALIVE = 2048;

const sluice: Contestant = {
  name: "sluice",
  executable: join(ROOT, "dist/sluice"),
  suits: () => true,
  prepare({ workers, upstream, filters, perRequest = false }, { folder, port }) {
    const instances = perRequest ? "per_request" : "shared";
    const plugins = filters.map(
      (filter, n) => `    - { name: f${n}, file: ${moduleOf(filter)}, instances: ${instances} }`,
    );
    const uses = filters.map((_, n) => `{ f${n}: "${CONFIGURATION}" }`).join(", ");
    return {
      files: {
        "gateway.yaml": `
listen: 127.0.0.1:${port}
workers: ${workers}
wasm:
  plugins:${plugins.length === 0 ? " []" : `\n${plugins.join("\n")}`}
upstreams: [{ id: node, nodes: { "127.0.0.1:${upstream}": 1 } }]
routes: [{ id: all, uri: /*, upstream_id: node, plugins: [${uses}] }]
`,
      },
      command: { cmd: [this.executable, "run", "gateway.yaml"], cwd: folder },
    };
  },
};

const nginx: Contestant = {
  name: "nginx",
  executable: "nginx",
  suits: ({ filters }) => filters.length === 0,
  prepare: (setup, place) => prepareNginx(setup, place, "", ""),
};

const LUA_MODULES = "/usr/lib/nginx/modules";

const nginxLua: Contestant = {
  name: "nginx with Lua",
  executable: `${LUA_MODULES}/ngx_http_lua_module.so`,
  suits: ({ filters, perRequest }) => filters.length === 1 && perRequest !== true,
  prepare: (setup, place) =>
    prepareNginx(
      setup,
      place,
      `load_module ${LUA_MODULES}/ndk_http_module.so;
load_module ${LUA_MODULES}/ngx_http_lua_module.so;`,
      `access_by_lua_block { ngx.req.set_header("${HEADER.name}", "${HEADER.value}") }
      header_filter_by_lua_block { ngx.header["x-guest"] = "lua" }`,
    ),
};

function prepareNginx(
  { workers, upstream }: Setup,
  { folder, port }: Place,
  modules: string,
  filter: string,
): ReturnType<Contestant["prepare"]> {
  return {
    files: {
      "nginx.conf": `${modules}
daemon off; pid ${folder}/nginx.pid; worker_processes ${workers}; error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  keepalive_requests 100000000; client_max_body_size 100m;
  upstream node {
    server 127.0.0.1:${upstream};
    keepalive ${KEPT_ALIVE}; keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      ${filter}
      proxy_pass http://node;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
    },
    command: { cmd: ["nginx", "-p", folder, "-c", "nginx.conf"], cwd: folder },
  };
}

const haproxy: Contestant = {
  name: "HAProxy",
  executable: "haproxy",
  suits: ({ filters }) => filters.length === 0,
  prepare: ({ workers, upstream }, { folder, port }) => ({
    files: {
      "haproxy.cfg": `
global
  nbthread ${workers}
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend all
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  default_backend node
backend node
  server node 127.0.0.1:${upstream}
`,
    },
    command: { cmd: ["haproxy", "-f", "haproxy.cfg"], cwd: folder },
  }),
};

const caddy: Contestant = {
  name: "Caddy",
  executable: "caddy",
  suits: ({ filters }) => filters.length === 0,
  prepare: ({ workers, upstream }, { folder, port }) => ({
    files: {
      Caddyfile: `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstream} {
    transport http {
      keepalive_idle_conns_per_host ${KEPT_ALIVE}
    }
  }
}
`,
    },
    command: {
      cmd: ["caddy", "run", "--config", "Caddyfile"],
      cwd: folder,
      env: { GOMAXPROCS: String(workers), HOME: folder, XDG_DATA_HOME: folder },
    },
  }),
};

const ENVOY_OPTIONS = ["-c", "envoy.json", "--log-level", "error", "--disable-hot-restart"];

const envoy: Contestant = {
  name: "Envoy",
  executable: process.env["ENVOY"] ?? "envoy",
  suits: ({ perRequest }) => perRequest !== true,
  prepare({ workers, upstream, filters }, { folder, port }) {
    return {
      files: { "envoy.json": JSON.stringify(envoyBootstrap(upstream, port, filters)) },
      command: {
        cmd: [this.executable, ...ENVOY_OPTIONS, "--concurrency", String(workers)],
        cwd: folder,
      },
    };
  },
};

function type(name: string): Record<string, string> {
  return { "@type": `type.googleapis.com/${name}` };
}

function address(port: number): unknown {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function envoyBootstrap(upstream: number, port: number, filters: readonly Filter[]): unknown {
  const wasm = filters.map((filter, n) => ({
    name: `wasm${n}`,
    typed_config: {
      ...type("envoy.extensions.filters.http.wasm.v3.Wasm"),
      config: {
        name: `wasm${n}`,
        root_id: "",
        vm_config: {
          vm_id: `vm${n}`,
          runtime: "envoy.wasm.runtime.v8",
          code: { local: { filename: moduleOf(filter) } },
        },
        configuration: { ...type("google.protobuf.StringValue"), value: CONFIGURATION },
      },
    },
  }));
  const connectionFilter = {
    ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "all",
    generate_request_id: false,
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "node", timeout: "0s" } }],
        },
      ],
    },
    http_filters: [
      ...wasm,
      { name: "router", typed_config: type("envoy.extensions.filters.http.router.v3.Router") },
    ],
  };
  const limits = [{ priority: "DEFAULT", max_connections: 8192, max_pending_requests: 8192 }];
  return {
    static_resources: {
      listeners: [
        {
          name: "all",
          address: address(port),
          filter_chains: [{ filters: [{ name: "http", typed_config: connectionFilter }] }],
        },
      ],
      clusters: [
        {
          name: "node",
          type: "STATIC",
          circuit_breakers: {
            thresholds: limits.map((each) => ({ ...each, max_requests: 8192 })),
          },
          load_assignment: {
            cluster_name: "node",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }],
          },
        },
      ],
    },
  };
}

/** Sluice first: the others are what it is held against. */
export const CONTESTANTS: readonly Contestant[] = [sluice, nginx, haproxy, caddy, nginxLua, envoy];
