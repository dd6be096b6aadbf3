import type { ListenerConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Findings } from "./findings.ts";
import { type ListenKind, readListenAddress, reportRepeated } from "./listen-address.ts";
import type { RawGateway } from "./schema.ts";
import { checkTls } from "./ssls.ts";
import { type ConfigNode, type Span, nodeAt } from "./tree.ts";

const KIND: ListenKind = { noun: "listener", exampleHost: "0.0.0.0", examplePort: 9080 };

/**
 * Reads `listen`: an address, { address }, or a list of them.
 * @param certificates count, those with an error included
 */
export function readListeners(
  raw: RawGateway["listen"],
  root: ConfigNode,
  certificates: number,
  findings: Findings,
): ListenerConfig[] {
  const node = nodeAt(root, "listen");
  if (node === undefined) return [readListener(DEFAULTS.listen, root, findings)].filter(isListener);
  const isList = node.kind === "list";
  const items = (isList ? raw : [raw]) as readonly RawListener[] | undefined;
  const seen = new Map<string, Span>();
  const listeners: ListenerConfig[] = [];
  for (const [index, item] of (items ?? []).entries()) {
    const itemNode = (isList ? node.items[index] : node) ?? node;
    const written: RawListenerMap = typeof item === "string" ? { address: item } : (item ?? {});
    const { address, front = "auto", tls = false } = written;
    if (address === undefined) continue;
    const span = nodeAt(itemNode, "address") ?? itemNode;
    const listener = readListener(address, span, findings);
    if (listener === undefined) continue;
    listeners.push({ ...listener, front, tls });
    if (tls) checkTls({ address, front }, itemNode, certificates, findings);
    reportRepeated(listener, span, KIND.noun, seen, findings);
  }
  return listeners;
}

type RawListener = string | RawListenerMap | undefined;

interface RawListenerMap {
  readonly address?: string | undefined;
  readonly front?: ListenerConfig["front"] | undefined;
  readonly tls?: boolean | undefined;
}

function readListener(address: string, span: Span, findings: Findings): ListenerConfig | undefined {
  const read = readListenAddress(address, span, KIND, findings);
  return read && { ...read, front: "auto", tls: false, position: findings.source.position(span) };
}

function isListener(listener: ListenerConfig | undefined): listener is ListenerConfig {
  return listener !== undefined;
}
