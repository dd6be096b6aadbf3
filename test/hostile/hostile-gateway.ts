import { join } from "node:path";
import { SeededBytes } from "../../src/httpbin/seeded-bytes.ts";
import { type Gateway, startGateway } from "../e2e/support/gateway.ts";
import { assemble } from "./assemble.ts";
import type { Attack } from "./catalogue.ts";
import { type HonestRequest, honestRequest } from "./honest-clients.ts";

const ADD_HEADER = join(import.meta.dir, "../../plugins/add-header.wasm");
const HONEST_BYTES = 2000;
const HONEST_SEED = 42;

export interface GatewayParts {
  /** Items of `routes` beside the honest ones: YAML, each line indented by two blanks. */
  readonly routes: string;
  /** Items of `wasm.plugins`, indented by four. */
  readonly plugins: string;
  /** Items of `upstreams` beside "bin", indented by two. */
  readonly upstreams: string;
  /** Plugin files by name. */
  readonly modules: Readonly<Record<string, Uint8Array>>;
}

/** Two workers, the honest routes with the shipped plugin, and what the parts add. */
export async function startHostileGateway(parts: GatewayParts): Promise<Gateway> {
  const files: Record<string, Uint8Array> = {
    "plugins/add-header.wasm": await Bun.file(ADD_HEADER).bytes(),
  };
  for (const [name, bytes] of Object.entries(parts.modules)) files[`plugins/${name}.wasm`] = bytes;
  return startGateway(hostileYaml(parts), { files });
}

export function hostileYaml({ routes, plugins, upstreams }: Omit<GatewayParts, "modules">): string {
  return `
listen: 127.0.0.1:0
workers: 2
wasm:
  plugins:
    - { name: honest-shared, file: plugins/add-header.wasm }
    - { name: honest-fresh, file: plugins/add-header.wasm, instances: per_request }
${plugins}
upstreams:
  - { id: bin, nodes: { "builtin:httpbin": 1 } }
${upstreams}
routes:
  - id: honest-shared
    host: honest-shared.test
    uri: /*
    plugins: [{ honest-shared: { name: X-Honest, value: shared, on: response } }]
    upstream_id: bin
  - id: honest-fresh
    host: honest-fresh.test
    uri: /*
    plugins: [{ honest-fresh: { name: X-Honest, value: fresh, on: response } }]
    upstream_id: bin
  - { id: honest-plain, host: honest-plain.test, uri: /*, upstream_id: bin }
${routes}`;
}

/** What honest clients of such a gateway send. */
export function honestRequests(): HonestRequest[] {
  const bytes = new SeededBytes(HONEST_SEED).window(0, HONEST_BYTES);
  const request = (name: string, value: string | undefined): HonestRequest =>
    honestRequest({
      name,
      host: `${name}.test`,
      target: `/bytes/${HONEST_BYTES}?seed=${HONEST_SEED}`,
      body: Buffer.from(bytes).toString("latin1"),
      header: ["x-honest", value],
    });
  return [
    request("honest-shared", "shared"),
    request("honest-fresh", "fresh"),
    request("honest-plain", undefined),
  ];
}

/**
 * Guests that are not to be stopped by a deadline get one that they can only miss on purpose: on a
 * busy machine a worker may have to wait longer for its turn than the usual 20 ms.
 */
function withDeadline(settings = ""): string {
  if (settings.includes("deadline:")) return settings;
  const limits = "limits: { ";
  if (settings.includes(limits)) return settings.replace(limits, `${limits}deadline: 500ms, `);
  return [settings, `${limits}deadline: 500ms }`].filter((each) => each !== "").join(", ");
}

/** A gateway with a plugin and a route for each attack, in front of these nodes. */
export function startGatewayUnder(
  attacks: readonly Attack[],
  nodes: { strict: string; silent: string; grpc: string },
): Promise<Gateway> {
  const modules: Record<string, Uint8Array> = {};
  const plugins: string[] = [];
  const routes: string[] = [];
  for (const { name, guest, instances } of attacks) {
    modules[guest.name] ??= assemble(guest.wat);
    // Attacks in a row are what is tested: no breaker may spare the guest the next one.
    const settings = [
      `name: ${name}`,
      `file: plugins/${guest.name}.wasm`,
      `instances: ${instances}`,
      "breaker: { failures: 0 }",
      withDeadline(guest.settings),
    ];
    plugins.push(`    - { ${settings.join(", ")} }`);
    routes.push(
      `  - { id: ${name}, host: ${name}.test, uri: /*, plugins: [${name}], upstream_id: node }`,
    );
  }
  return startHostileGateway({
    modules,
    plugins: plugins.join("\n"),
    routes: routes.join("\n"),
    upstreams: `
  - { id: node, nodes: { "${nodes.strict}": 1 } }
  - { id: silent, nodes: { "${nodes.silent}": 1 } }
  - { id: grpc, nodes: { "${nodes.grpc}": 1 } }`,
  });
}
