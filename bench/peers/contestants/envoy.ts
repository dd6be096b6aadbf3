import { join } from "node:path";
import {
  CERT,
  certificateFiles,
  CONNECTIONS_MAX,
  type Contestant,
  find,
  KEY,
  ROOT,
  type Setup,
} from "../contestant.ts";
import { type Filter, GUESTS } from "../filters.ts";

/** Where bench/peers/install.sh puts it. */
const INSTALLED = join(ROOT, "dist/peers/envoy/_bin/envoy");
const EXECUTABLE = process.env["ENVOY"] ?? find(INSTALLED) ?? "envoy";
const OPTIONS = ["-c", "envoy.json", "--log-level", "error", "--disable-hot-restart"];

export const envoy: Contestant = {
  name: "Envoy",
  needs: [EXECUTABLE],
  version: [EXECUTABLE, "--version"],
  warmUpSeconds: 1,
  suits: ({ perRequest, routes }) => perRequest !== true && routes === undefined,
  prepare: (setup, site) => ({
    files: {
      ...certificateFiles(site),
      "envoy.json": JSON.stringify(bootstrap(setup, site.upstream, site.port)),
    },
    command: { cmd: [site.executable, ...OPTIONS, "--concurrency", String(setup.workers)] },
  }),
};

function bootstrap(setup: Setup, upstream: number, port: number): unknown {
  const held = setup.heldBytes;
  // Both sides have one; left out, it is 1 MiB.
  const buffers = held === undefined ? {} : { per_connection_buffer_limit_bytes: held };
  const filters = [{ name: "http", typed_config: connectionFilter(setup.filters) }];
  const limits = { max_pending_requests: CONNECTIONS_MAX, max_requests: CONNECTIONS_MAX };
  const thresholds = [{ priority: "DEFAULT", max_connections: CONNECTIONS_MAX, ...limits }];
  const cluster = {
    name: "node",
    type: "STATIC",
    ...buffers,
    circuit_breakers: { thresholds },
    load_assignment: {
      cluster_name: "node",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }],
    },
  };
  const listener = {
    name: "all",
    address: address(port),
    ...buffers,
    filter_chains: [{ filters, ...(setup.tls === true ? transportSocket() : {}) }],
  };
  return { static_resources: { listeners: [listener], clusters: [cluster] } };
}

/** Envoy's word for what both sides of a connection have. */
const CONTEXT = "common_tls_context";

function transportSocket(): object {
  const certificate = { certificate_chain: { filename: CERT }, private_key: { filename: KEY } };
  const context = { tls_certificates: [certificate] };
  const tls = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
  const typed = { ...type(tls), [CONTEXT]: context };
  return { transport_socket: { name: "tls", typed_config: typed } };
}

function connectionFilter(filters: readonly Filter[]): unknown {
  const router = "envoy.extensions.filters.http.router.v3.Router";
  const routes = [{ match: { prefix: "/" }, route: { cluster: "node", timeout: "0s" } }];
  return {
    ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "all",
    generate_request_id: false,
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [...filters.map(wasmFilter), { name: "router", typed_config: type(router) }],
  };
}

/** In a virtual machine of its own, as it is a plugin of its own in Sluice. */
function wasmFilter(filter: Filter, n: number): unknown {
  const { module, configuration } = GUESTS[filter];
  const value = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  return {
    name: `wasm${n}`,
    typed_config: {
      ...type("envoy.extensions.filters.http.wasm.v3.Wasm"),
      config: {
        name: `wasm${n}`,
        root_id: "",
        vm_config: {
          vm_id: `vm${n}`,
          runtime: "envoy.wasm.runtime.v8",
          code: { local: { filename: module } },
        },
        configuration: { ...type("google.protobuf.StringValue"), value },
      },
    },
  };
}

function type(name: string): Record<string, string> {
  return { "@type": `type.googleapis.com/${name}` };
}

function address(port: number): unknown {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
