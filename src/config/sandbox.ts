import { LIMITS } from "../base/limits.ts";
import type { SandboxConfig } from "./config.ts";
import { DEFAULTS, recyclePagesOf } from "./defaults.ts";
import { type Findings, quote } from "./findings.ts";
import type { RawPlugin } from "./schema-plugin.ts";
import { type ConfigNode, entryOf, nodeAt } from "./tree.ts";
import { formatSize } from "./units.ts";
import { foundIn } from "./wording.ts";

/** How the guests of one plugin run: `instances`, `limits`, `pool` … @param node the plugin's */
export function readSandbox(
  raw: RawPlugin,
  name: string,
  node: ConfigNode,
  findings: Findings,
): SandboxConfig {
  const { instances, pool, breaker, pause, routeCache } = DEFAULTS.sandbox;
  const at = { name, node, findings };
  const sandbox = {
    instances: raw.instances ?? instances,
    limits: readLimits(raw.limits, at),
    pool: {
      size: raw.pool?.size ?? pool.size,
      warm: raw.pool?.warm ?? Math.min(pool.warm, raw.pool?.size ?? pool.size),
      queue: raw.pool?.queue ?? pool.queue,
      waitMs: raw.pool?.wait ?? pool.waitMs,
    },
    breaker: {
      failures: raw.breaker?.failures ?? breaker.failures,
      windowMs: raw.breaker?.window ?? breaker.windowMs,
      openMs: raw.breaker?.open ?? breaker.openMs,
    },
    seed: raw.seed,
    pause: raw.pause ?? pause,
    routeCache: raw.route_cache ?? routeCache,
  };
  const { size, warm } = sandbox.pool;
  if (warm > size) {
    const message = `pool.warm of plugin ${quote(name)} takes at most its pool.size ${size}`;
    const entry = nodeAt(node, "pool", "warm") ?? node;
    findings.error("CONFIG_BAD_VALUE", entry, `${message}, not ${foundIn(entry)}`);
  }
  checkPerRequest(at);
  return sandbox;
}

interface At {
  readonly name: string;
  readonly node: ConfigNode;
  readonly findings: Findings;
}

function readLimits(
  raw: RawPlugin["limits"],
  { name, node, findings }: At,
): SandboxConfig["limits"] {
  const { limits } = DEFAULTS.sandbox;
  const memoryPages = pagesOf(raw?.memory) ?? limits.memoryPages;
  const recyclePages = pagesOf(raw?.recycle) ?? recyclePagesOf(memoryPages);
  // A memory that cannot be read has been reported, and the default is not what was meant.
  const isComparable = raw?.memory !== undefined || !has(node, "limits", "memory");
  if (recyclePages > memoryPages && isComparable) {
    const most = formatSize(memoryPages * LIMITS.pageBytes);
    const message = `limits.recycle of plugin ${quote(name)} takes at most its memory ${most}`;
    const entry = nodeAt(node, "limits", "recycle") ?? node;
    findings.error("CONFIG_BAD_VALUE", entry, `${message}, not ${foundIn(entry)}`);
  }
  return {
    memoryPages,
    recyclePages,
    deadlineMs: raw?.deadline ?? limits.deadlineMs,
    totalMs: raw?.total ?? limits.totalMs,
    fuel: raw?.fuel ?? limits.fuel,
    startMs: raw?.start ?? limits.startMs,
  };
}

/** A memory has whole pages. */
function pagesOf(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : Math.floor(bytes / LIMITS.pageBytes);
}

/** Words about clean sandboxes, where there are none. */
function checkPerRequest({ name, node, findings }: At): void {
  const written = entryOf(node, "instances")?.value;
  const isShared =
    written === undefined || (written.kind === "scalar" && written.value === "shared");
  if (!isShared) return;
  for (const key of ["pool", "seed"]) {
    const entry = entryOf(node, key);
    if (entry === undefined) continue;
    const message = `${key} of plugin ${quote(name)} needs instances: per_request`;
    const hint = `add instances: per_request, or remove ${key}`;
    findings.error("CONFIG_KEY_CONFLICT", entry.keySpan, message, hint);
  }
}

function has(node: ConfigNode, ...path: string[]): boolean {
  return nodeAt(node, ...path) !== undefined;
}
