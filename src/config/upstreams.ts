import { parseAddress } from "./address.ts";
import type { NodeConfig, TimeoutConfig, UpstreamConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Findings, quote } from "./findings.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, type Span, entryOf, nodeAt, textOf } from "./tree.ts";

export type RawUpstream = NonNullable<NonNullable<RawGateway["upstreams"]>[number]>;
export type RawTimeout = NonNullable<RawUpstream["timeout"]>;

/** bytes; what fits into a sockaddr_un of Linux, without its last NUL. */
const SOCKET_PATH_BYTES_MAX = 107;

/** Reads the named upstreams; ids are unique. */
export function readUpstreams(
  raw: RawGateway["upstreams"],
  root: ConfigNode,
  findings: Findings,
): UpstreamConfig[] {
  const upstreams: UpstreamConfig[] = [];
  const ids = new Map<string, Span>();
  for (const [index, item] of (raw ?? []).entries()) {
    const node = nodeAt(root, "upstreams", index);
    if (item === undefined || node === undefined) continue;
    const id = item.id === undefined ? undefined : String(item.id);
    if (id !== undefined) claimId("upstream", id, nodeAt(node, "id") ?? node, ids, findings);
    upstreams.push(readUpstream(id ?? "", item, node, findings));
  }
  return upstreams;
}

/** Refuses an id that another thing of its kind has. */
export function claimId(
  noun: string,
  id: string,
  span: Span,
  ids: Map<string, Span>,
  findings: Findings,
): void {
  const before = ids.get(id);
  if (before === undefined) {
    ids.set(id, span);
    return;
  }
  const { line } = findings.source.position(before);
  const message = `${noun} ${quote(id)} exists already, in line ${line}`;
  findings.error("CONFIG_DUPLICATE_ID", span, message);
}

/** @param node the mapping that `raw` was decoded from */
export function readUpstream(
  id: string,
  raw: Omit<RawUpstream, "id">,
  node: ConfigNode,
  findings: Findings,
): UpstreamConfig {
  const nodes = readNodes(node, findings);
  const passHost = raw.pass_host ?? "pass";
  checkUpstreamHost(raw, node, findings);
  return {
    id,
    type: "roundrobin",
    nodes,
    timeout: mergeTimeout(DEFAULTS.timeout, raw.timeout),
    retries: raw.retries ?? DEFAULTS.retries,
    passHost,
    upstreamHost: passHost === "rewrite" ? raw.upstream_host : undefined,
    keepalive: {
      size: raw.keepalive_pool?.size ?? DEFAULTS.keepalive.size,
      idleMs: raw.keepalive_pool?.idle_timeout ?? DEFAULTS.keepalive.idleMs,
      requests: raw.keepalive_pool?.requests ?? DEFAULTS.keepalive.requests,
    },
  };
}

export function mergeTimeout(base: TimeoutConfig, raw: RawTimeout | undefined): TimeoutConfig {
  if (raw === undefined) return base;
  return {
    connectMs: raw.connect ?? base.connectMs,
    sendMs: raw.send ?? base.sendMs,
    readMs: raw.read ?? base.readMs,
    totalMs: raw.total ?? base.totalMs,
    idleMs: raw.idle ?? base.idleMs,
  };
}

function checkUpstreamHost(
  raw: Omit<RawUpstream, "id">,
  node: ConfigNode,
  findings: Findings,
): void {
  const entry = entryOf(node, "upstream_host");
  if (entry === undefined) {
    if (raw.pass_host !== "rewrite") return;
    const message = "pass_host: rewrite needs upstream_host, the host to send";
    findings.error("CONFIG_MISSING_KEY", nodeAt(node, "pass_host"), message);
    return;
  }
  const isUnclear = raw.pass_host === undefined && entryOf(node, "pass_host") !== undefined;
  if (raw.pass_host !== "rewrite" && !isUnclear) {
    const message = "upstream_host has no effect without pass_host: rewrite";
    findings.warning("CONFIG_UNUSED_KEY", entry.keySpan, message);
  }
  if (raw.upstream_host === undefined) return;
  const parsed = parseAddress(raw.upstream_host);
  if (!("problem" in parsed)) return;
  const message = `upstream_host ${quote(raw.upstream_host)} ${parsed.problem}`;
  findings.error("CONFIG_BAD_HOST", entry.value, message, parsed.hint);
}

/** From the tree, because both forms are read here, and each node is pointed to. */
function readNodes(node: ConfigNode, findings: Findings): NodeConfig[] {
  const entry = entryOf(node, "nodes");
  if (entry === undefined) return [];
  const list: { node: NodeConfig | undefined; span: Span }[] = [];
  if (entry.value.kind === "map") {
    for (const { key, keySpan, value } of entry.value.entries) {
      list.push({ node: nodeOf(key, weightOf(value), keySpan, findings), span: keySpan });
    }
  } else if (entry.value.kind === "list") {
    for (const item of entry.value.items) {
      const span = nodeAt(item, "host") ?? item;
      list.push({ node: nodeOfItem(item, span, findings), span });
    }
  } else {
    return [];
  }
  const nodes = withoutRepetition(list, findings);
  // A node that could not be read might have had a weight.
  if (nodes.length === list.length && nodes.every(({ weight }) => weight === 0)) {
    const here = nodes.length === 0 ? "here are none" : "here all are 0";
    const message = `an upstream needs a node with a weight above 0, ${here}`;
    findings.error("CONFIG_NO_WEIGHT", entry.keySpan, message);
  }
  return nodes;
}

function withoutRepetition(
  list: readonly { node: NodeConfig | undefined; span: Span }[],
  findings: Findings,
): NodeConfig[] {
  const seen = new Set<string>();
  const nodes: NodeConfig[] = [];
  for (const { node, span } of list) {
    if (node === undefined) continue;
    const key = node.kind === "tcp" ? `${node.host.toLowerCase()} ${node.port}` : node.address;
    if (seen.has(key)) {
      const message = `node ${quote(node.address)} stands in this upstream already`;
      findings.error(
        "CONFIG_DUPLICATE_NODE",
        span,
        message,
        "one node, and the sum of both weights",
      );
    }
    seen.add(key);
    nodes.push(node);
  }
  return nodes;
}

function nodeOfItem(item: ConfigNode, span: Span, findings: Findings): NodeConfig | undefined {
  const host = textOf(nodeAt(item, "host"));
  if (host === undefined || host === "") return undefined;
  const weightNode = nodeAt(item, "weight");
  const weight = weightNode === undefined ? DEFAULTS.weight : weightOf(weightNode);
  const port = nodeAt(item, "port");
  if (port === undefined) return nodeOf(host, weight, span, findings);
  // What is no port number has been reported.
  const number = port.kind === "scalar" ? Number(port.value) : Number.NaN;
  if (!(number >= 1 && number <= 65_535)) return undefined;
  if (/^(?:unix|builtin):/.test(host)) {
    findings.error("CONFIG_BAD_ADDRESS", port, `node ${quote(host)} has no port`);
    return undefined;
  }
  const isPlainV6 = host.includes(":") && !host.startsWith("[");
  const address = `${isPlainV6 ? `[${host}]` : host}:${number}`;
  return nodeOf(address, weight, span, findings);
}

/** What is no number has been reported; any weight does, so that nothing else is said about it. */
function weightOf(node: ConfigNode): number {
  if (node.kind !== "scalar") return DEFAULTS.weight;
  const weight = Number(node.value);
  return Number.isFinite(weight) ? weight : DEFAULTS.weight;
}

function nodeOf(
  address: string,
  weight: number,
  span: Span,
  findings: Findings,
): NodeConfig | undefined {
  const refuse = (problem: string, hint?: string): undefined => {
    findings.error("CONFIG_BAD_ADDRESS", span, `node ${quote(address)} ${problem}`, hint);
    return undefined;
  };
  // Its variable has been refused, with what to write instead.
  if (address.includes("${{")) return undefined;
  if (address.startsWith("unix:")) {
    const path = address.slice("unix:".length);
    if (!path.startsWith("/") || path.includes("\0")) return refuse("needs an absolute path");
    if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
      return refuse(`has a path of more than ${SOCKET_PATH_BYTES_MAX} bytes`);
    }
    return { weight, address, kind: "unix", path };
  }
  if (address.startsWith("builtin:")) {
    if (address === "builtin:httpbin") return { weight, address, kind: "builtin", name: "httpbin" };
    return refuse("is not built in", 'did you mean "builtin:httpbin"?');
  }
  const parsed = parseAddress(address);
  if ("problem" in parsed) return refuse(parsed.problem, parsed.hint);
  if (parsed.port === 0) return refuse("has port 0, a node's port is from 1 to 65535");
  const { host, port = DEFAULTS.port } = parsed;
  return { weight, address, kind: "tcp", host, port };
}
