import { join } from "node:path";
import {
  CERT,
  certificateFiles,
  type Contestant,
  KEPT_ALIVE,
  KEY,
  ROOT,
  type Setup,
} from "../contestant.ts";
import { GUESTS } from "../filters.ts";
import type { Place, Prepared } from "../place.ts";

const EXECUTABLE = join(ROOT, "dist/sluice");

export const sluice: Contestant = {
  name: "sluice",
  needs: [EXECUTABLE],
  version: [EXECUTABLE, "version"],
  warmUpSeconds: 10, // The engine compiles what runs often, on the same core.
  suits: () => true,
  prepare: (setup, site) => {
    return prepareGateway(yaml(setup, site.upstream, site.port), certificateFiles(site));
  },
};

/** @param config its gateway.yaml @param files beside it */
export function prepareGateway(config: string, files: Prepared["files"] = {}): Prepared {
  return {
    files: { "gateway.yaml": config, ...files },
    command: { cmd: [EXECUTABLE, "run", "gateway.yaml"] },
  };
}

/** The gateway.yaml at the root of this tree, with two workers. */
export async function prepareShipped({ port }: Place): Promise<Prepared> {
  const shipped = await Bun.file(join(ROOT, "gateway.yaml")).text();
  return prepareGateway(
    shipped.replace(":9080", `:${port}`).replace("workers: auto", "workers: 2"),
  );
}

/** Answered through a plugin by the embedded upstream. */
export const SHIPPED_PATH = "/wasm/headers";

/** Every filter is a plugin of its own, as it is a filter of its own in Envoy. */
function yaml(setup: Setup, upstream: number, port: number): string {
  const { workers, filters, perRequest = false, heldBytes, tls = false } = setup;
  const instances = perRequest ? "per_request" : "shared";
  // What holds bodies of megabytes has room and time for them.
  const limits = heldBytes === undefined ? "" : ", limits: { memory: 512MiB, deadline: 2s }";
  const plugins = filters.map(
    (filter, n) =>
      `{ name: f${n}, file: ${GUESTS[filter].module}, instances: ${instances}${limits} }`,
  );
  const uses = filters.map((filter, n) => `f${n}: ${JSON.stringify(GUESTS[filter].configuration)}`);
  const rest = `upstream_id: node, plugins: [${uses.map((use) => `{ ${use} }`).join(", ")}]`;
  const uris = Array.from({ length: setup.routes ?? 0 }, (_, n) => `/item${n}/*`);
  const routes = ["/*", ...uris].map((uri, n) => `  - { id: r${n}, uri: ${uri}, ${rest} }`);
  return `
listen: { address: "127.0.0.1:${port}", tls: ${tls} }
${tls ? `ssls: [{ snis: [bench.test], cert: ${CERT}, key: ${KEY} }]` : ""}
workers: ${workers}
${heldBytes === undefined ? "" : `limits: { filter_buffer: ${heldBytes}B }`}
wasm: { plugins: [${plugins.join(", ")}] }
upstreams:
  - { id: node, nodes: { "127.0.0.1:${upstream}": 1 }, keepalive_pool: { size: ${KEPT_ALIVE} } }
routes:
${routes.join("\n")}
`;
}
