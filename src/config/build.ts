import { readAdmin } from "./admin.ts";
import type { Config } from "./config.ts";
import { decode } from "./decode.ts";
import { DEFAULTS, WORKERS_MAX } from "./defaults.ts";
import type { Findings } from "./findings.ts";
import { readListeners } from "./listeners.ts";
import { knownUpstreams } from "./known-upstreams.ts";
import { type KnownPlugins, readPluginUses } from "./plugin-uses.ts";
import { type PluginSources, readPlugins } from "./plugins.ts";
import { readRoutes } from "./routes.ts";
import { GatewaySchema, type RawGateway } from "./schema.ts";
import { checkSslUse, readSsls } from "./ssls.ts";
import { type ConfigNode, nodeAt } from "./tree.ts";
import { readUpstreams } from "./upstreams.ts";

/**
 * Tree to typed configuration. Every part is read whatever the others are like, so that all errors
 * of a file are found at once; what comes out is of use only when `findings` has none.
 * @param file absolute path
 */
export function buildConfig(
  root: ConfigNode,
  options: PluginSources & { cores: number },
  findings: Findings,
): Config {
  const raw: RawGateway = decode(GatewaySchema, root, findings) ?? {};
  const named = readUpstreams(raw.upstreams, root, findings);
  const upstreams = knownUpstreams(raw, named, root);
  const sources = { ...options, upstreams };
  const { pluginsDir, plugins, isIncomplete } = readPlugins(raw, root, sources, findings);
  const names = new Set(plugins.map((plugin) => plugin.name));
  const knownPlugins: KnownPlugins = { names, pluginsDir, isIncomplete };
  const known = { upstreams, plugins: knownPlugins };
  const routed = readRoutes(raw.routes, root, known, findings);
  if (routed.routes.length === 0 && !findings.failed) {
    const message = "no route is enabled, every request is answered with 404";
    findings.warning("CONFIG_NO_ROUTES", nodeAt(root, "routes"), message);
  }
  const certificates = raw.ssls?.length ?? 0;
  const listeners = readListeners(raw.listen, root, certificates, findings);
  const ssls = readSsls(raw.ssls, root, options, findings);
  checkSslUse(listeners, root, findings);
  return {
    file: options.file,
    listeners,
    ssls,
    admin: readAdmin(raw.admin, root, listeners, findings),
    workers: workersOf(raw, options.cores),
    pluginsDir,
    plugins,
    upstreams: [...named, ...routed.upstreams],
    routes: routed.routes,
    globalPlugins: readPluginUses(raw.global_plugins, knownPlugins, findings),
    limits: limitsOf(raw),
    log: {
      level: raw.log?.level ?? DEFAULTS.log.level,
      format: raw.log?.format ?? DEFAULTS.log.format,
    },
    drainMs: raw.drain ?? DEFAULTS.drainMs,
  };
}

function workersOf(raw: RawGateway, cores: number): number {
  if (typeof raw.workers === "number") return raw.workers;
  return Math.min(WORKERS_MAX, Math.max(1, Math.floor(cores)));
}

function limitsOf(raw: RawGateway): Config["limits"] {
  const { limits } = DEFAULTS;
  return {
    requestTargetBytes: raw.limits?.request_target ?? limits.requestTargetBytes,
    requestHeaderBytes: raw.limits?.request_headers ?? limits.requestHeaderBytes,
    requestBodyBytes: raw.limits?.request_body ?? limits.requestBodyBytes,
    filterBufferBytes: raw.limits?.filter_buffer ?? limits.filterBufferBytes,
    exchangesInFlight: raw.limits?.exchanges_in_flight ?? limits.exchangesInFlight,
  };
}
