import type { AdminConfig, AdminListener, ListenerConfig } from "./config.ts";
import { type Findings, quote } from "./findings.ts";
import {
  type ListenAddress,
  type ListenKind,
  readListenAddress,
  reportRepeated,
} from "./listen-address.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, type Span, nodeAt } from "./tree.ts";

const KIND: ListenKind = { noun: "admin address", exampleHost: "127.0.0.1", examplePort: 9180 };

/**
 * Reads `admin`. Nothing protects the port but where it is: only loopback addresses are taken.
 * @param listeners of `listen`; their ports are in use, on whatever address
 */
export function readAdmin(
  raw: RawGateway["admin"],
  root: ConfigNode,
  listeners: readonly ListenerConfig[],
  findings: Findings,
): AdminConfig | undefined {
  const node = nodeAt(root, "admin");
  if (raw === undefined || node === undefined) return undefined;
  const listenNode = nodeAt(node, "listen") ?? node;
  const isList = listenNode.kind === "list";
  const items = (isList ? raw.listen : [raw.listen]) as readonly (string | undefined)[] | undefined;
  const seen = new Map<string, Span>();
  const read: AdminListener[] = [];
  for (const [index, address] of (items ?? []).entries()) {
    const span = (isList ? listenNode.items[index] : listenNode) ?? listenNode;
    const found = address === undefined ? undefined : readAddress(address, span, findings);
    if (found === undefined) continue;
    reportRepeated(found, span, KIND.noun, seen, findings);
    reportTaken(found, span, listeners, findings);
    read.push({ ...found, position: findings.source.position(span) });
  }
  return { listeners: read };
}

function readAddress(address: string, span: Span, findings: Findings): ListenAddress | undefined {
  const read = readListenAddress(address, span, KIND, findings);
  if (read === undefined) return undefined;
  const host = loopbackOf(read.host);
  if (host !== undefined) return { ...read, host };
  const message =
    `${KIND.noun} ${quote(address)} is no loopback address: ` +
    "there is no key yet that would protect the port anywhere else";
  const hint = `write ${quote(`${KIND.exampleHost}:${read.port}`)}`;
  findings.error("CONFIG_BAD_ADDRESS", span, message, hint);
  return undefined;
}

/** The name is not looked up: what stands for it in /etc/hosts must not open the port elsewhere. */
function loopbackOf(host: string): string | undefined {
  if (host === "localhost" || host === "localhost.") return "127.0.0.1";
  if (/^127(?:\.\d{1,3}){3}$/.test(host)) return host;
  // Every spelling of ::1, but no IPv4 address inside of an IPv6 one.
  return /^[0:]*:0*1$/.test(host) ? "::1" : undefined;
}

/** By port alone: 127.0.0.1 and 0.0.0.0 are in each other's way, and so are ::1 and ::. */
function reportTaken(
  { address, port }: ListenAddress,
  span: Span,
  listeners: readonly ListenerConfig[],
  findings: Findings,
): void {
  const taken = listeners.find((listener) => listener.port === port && port !== 0);
  if (taken === undefined) return;
  const where = `"listen" in line ${taken.position.line}`;
  const message = `${KIND.noun} ${quote(address)} has the port of ${where} (${taken.address})`;
  findings.error("CONFIG_DUPLICATE_LISTENER", span, message, "choose another port");
}
