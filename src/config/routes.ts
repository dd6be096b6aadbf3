import type { RouteConfig, UpstreamConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Findings, quote } from "./findings.ts";
import { type KnownUpstreams, reportUnknownUpstream } from "./known-upstreams.ts";
import { type KnownPlugins, readPluginUses } from "./plugin-uses.ts";
import { checkUri, readHost } from "./route-match.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, type Entry, type Span, entryOf, nodeAt, textOf } from "./tree.ts";
import { claimId, mergeTimeout, readUpstream } from "./upstreams.ts";

type RawRoute = NonNullable<NonNullable<RawGateway["routes"]>[number]>;

/** Reads routes that are enabled, with the upstreams that are written inside of them. */
export function readRoutes(
  raw: RawGateway["routes"],
  root: ConfigNode,
  known: { upstreams: KnownUpstreams; plugins: KnownPlugins },
  findings: Findings,
): { routes: RouteConfig[]; upstreams: UpstreamConfig[] } {
  const ids = new Map<string, Span>();
  const list: { raw: RawRoute; node: ConfigNode; id: string | undefined; index: number }[] = [];
  for (const [index, item] of (raw ?? []).entries()) {
    const node = nodeAt(root, "routes", index);
    if (item === undefined || node === undefined) continue;
    const id = item.id === undefined ? undefined : String(item.id);
    if (id !== undefined) claimId("route", id, nodeAt(node, "id") ?? node, ids, findings);
    list.push({ raw: item, node, id, index });
  }
  const routes = new Map<RouteConfig, Span>();
  const upstreams: UpstreamConfig[] = [];
  for (const { raw: item, node, id, index } of list) {
    const reader = new RouteReader(item, node, id ?? freeId(index, ids), findings);
    const read = reader.read(known.upstreams, known.plugins);
    if (!reader.isEnabled()) continue;
    routes.set(read.route, node);
    if (read.upstream !== undefined) upstreams.push(read.upstream);
  }
  warnOfRepetition(routes, findings);
  return { routes: [...routes.keys()], upstreams };
}

/** `route-3` for the third one, unless somebody has called another one so. */
function freeId(index: number, ids: ReadonlyMap<string, Span>): string {
  let id = `route-${index + 1}`;
  while (ids.has(id)) id = `${id}-`;
  return id;
}

class RouteReader {
  readonly #raw: RawRoute;
  readonly #node: ConfigNode;
  readonly #id: string;
  readonly #findings: Findings;

  constructor(raw: RawRoute, node: ConfigNode, id: string, findings: Findings) {
    this.#raw = raw;
    this.#node = node;
    this.#id = id;
    this.#findings = findings;
  }

  isEnabled(): boolean {
    return this.#raw.enabled ?? this.#raw.status !== 0;
  }

  read(
    upstreams: KnownUpstreams,
    plugins: KnownPlugins,
  ): { route: RouteConfig; upstream: UpstreamConfig | undefined } {
    const raw = this.#raw;
    this.#exclude("enabled", "status");
    const { upstreamId, upstream } = this.#readUpstream(upstreams);
    const route: RouteConfig = {
      id: this.#id,
      uris: this.#readUris(),
      hosts: this.#readHosts(),
      methods: [...new Set((raw.methods ?? []).filter((method) => method !== undefined))],
      priority: raw.priority ?? 0,
      plugins: readPluginUses(raw.plugins, plugins, this.#findings),
      upstreamId,
      timeout: mergeTimeout(upstream?.timeout ?? DEFAULTS.timeout, raw.timeout),
      position: this.#findings.source.position(this.#node),
    };
    return { route, upstream: raw.upstream === undefined ? undefined : upstream };
  }

  #readUris(): string[] {
    this.#exclude("uri", "uris");
    if (this.#entry("uri") === undefined && this.#entry("uris") === undefined) {
      const message = `${this.#name()} needs the key "uri" or "uris"`;
      this.#findings.error("CONFIG_MISSING_KEY", this.#node, message, "every path is /*");
    }
    const uris = new Set<string>();
    for (const { text, span } of this.#texts("uri", "uris")) {
      const problem = checkUri(text);
      if (problem === undefined) {
        uris.add(text);
        continue;
      }
      const message = `uri ${quote(text)} ${problem.problem}`;
      this.#findings.error(problem.code, span, message, problem.hint);
    }
    return [...uris];
  }

  #readHosts(): string[] {
    this.#exclude("host", "hosts");
    const hosts = new Set<string>();
    for (const { text, span } of this.#texts("host", "hosts")) {
      const read = readHost(text);
      if ("host" in read) {
        hosts.add(read.host);
        continue;
      }
      const message = `host ${quote(text)} ${read.problem}`;
      this.#findings.error(read.code, span, message, read.hint);
    }
    return [...hosts];
  }

  #readUpstream(known: KnownUpstreams): {
    upstreamId: string;
    upstream: UpstreamConfig | undefined;
  } {
    const raw = this.#raw;
    this.#exclude("upstream_id", "upstream");
    const reference = this.#entry("upstream_id");
    const inline = this.#entry("upstream");
    if (reference === undefined && inline === undefined) {
      const message = `${this.#name()} needs the key "upstream_id" or "upstream"`;
      this.#findings.error("CONFIG_NO_UPSTREAM", this.#node, message);
    }
    if (inline !== undefined && raw.upstream !== undefined) {
      const upstreamId = `route:${this.#id}`;
      const upstream = readUpstream(upstreamId, raw.upstream, inline.value, this.#findings);
      return { upstreamId, upstream };
    }
    const upstreamId = String(raw.upstream_id ?? "");
    const upstream = known.byId.get(upstreamId);
    if (reference !== undefined && raw.upstream_id !== undefined && upstream === undefined) {
      reportUnknownUpstream(upstreamId, reference.value, known, this.#findings);
    }
    return { upstreamId, upstream };
  }

  #exclude(one: string, other: string): void {
    const second = this.#entry(other);
    if (this.#entry(one) === undefined || second === undefined) return;
    const message = `keys "${one}" and "${other}" of ${this.#name()} exclude each other`;
    this.#findings.error("CONFIG_KEY_CONFLICT", second.keySpan, message);
  }

  /** The texts under a key and under its plural, with where they stand. */
  #texts(one: string, many: string): { text: string; span: Span }[] {
    const single = this.#entry(one)?.value;
    const list = this.#entry(many)?.value;
    const nodes = [
      ...(single === undefined ? [] : [single]),
      ...(list?.kind === "list" ? list.items : []),
    ];
    return nodes.flatMap((node) => {
      const text = textOf(node);
      return text === undefined || text === "" ? [] : [{ text, span: node }];
    });
  }

  #entry(key: string): Entry | undefined {
    return entryOf(this.#node, key);
  }

  #name(): string {
    return `route ${quote(this.#id)}`;
  }
}

/** Two routes that are told apart by nothing: one of them never sees a request. */
function warnOfRepetition(routes: ReadonlyMap<RouteConfig, Span>, findings: Findings): void {
  const seen = new Map<string, RouteConfig>();
  for (const [route, span] of routes) {
    const rest = JSON.stringify([route.priority, route.hosts.toSorted(), route.methods.toSorted()]);
    for (const uri of route.uris) {
      const key = `${uri} ${rest}`;
      const before = seen.get(key);
      if (before === undefined) {
        seen.set(key, route);
        continue;
      }
      const other = `route ${quote(before.id)} in line ${before.position.line}`;
      const same = `matches the same requests for ${quote(uri)} as ${other}`;
      const message = `route ${quote(route.id)} ${same}`;
      findings.warning("CONFIG_REPEATED_ROUTE", span, message);
    }
  }
}
