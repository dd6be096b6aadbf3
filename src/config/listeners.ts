import { parseAddress } from "./address.ts";
import type { ListenerConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Findings, quote } from "./findings.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, type Span, nodeAt } from "./tree.ts";

/** Reads `listen`: an address, { address }, or a list of them. */
export function readListeners(
  raw: RawGateway["listen"],
  root: ConfigNode,
  findings: Findings,
): ListenerConfig[] {
  const node = nodeAt(root, "listen");
  if (node === undefined) return [listenerOf(DEFAULTS.listen, root, findings)].filter(isListener);
  const isList = node.kind === "list";
  const items = (isList ? raw : [raw]) as readonly RawListener[] | undefined;
  const seen = new Map<string, Span>();
  const listeners: ListenerConfig[] = [];
  for (const [index, item] of (items ?? []).entries()) {
    const itemNode = (isList ? node.items[index] : node) ?? node;
    const { address, front = "auto" } = typeof item === "string" ? { address: item } : (item ?? {});
    if (address === undefined) continue;
    const span = nodeAt(itemNode, "address") ?? itemNode;
    const listener = listenerOf(address, span, findings);
    if (listener === undefined) continue;
    listeners.push({ ...listener, front });
    const key = `${listener.host} ${listener.port}`;
    const before = seen.get(key);
    // Port 0 is another one each time.
    if (before !== undefined && listener.port !== 0) {
      const { line } = findings.source.position(before);
      const message = `listener ${quote(address)} stands in the list already, in line ${line}`;
      findings.error("CONFIG_DUPLICATE_LISTENER", span, message);
    }
    seen.set(key, span);
  }
  return listeners;
}

type RawListener =
  | string
  | { readonly address?: string | undefined; readonly front?: ListenerConfig["front"] | undefined }
  | undefined;

function listenerOf(address: string, span: Span, findings: Findings): ListenerConfig | undefined {
  const parsed = parseAddress(/^\d+$/.test(address) ? `:${address}` : address);
  if ("problem" in parsed) {
    const message = `listener ${quote(address)} ${parsed.problem}`;
    findings.error("CONFIG_BAD_ADDRESS", span, message, parsed.hint);
    return undefined;
  }
  if (parsed.port === undefined) {
    const hint = `did you mean ${quote(`${address}:9080`)}?`;
    findings.error("CONFIG_BAD_ADDRESS", span, `listener ${quote(address)} has no port`, hint);
    return undefined;
  }
  const position = findings.source.position(span);
  const host = parsed.host.toLowerCase();
  return { address, host, port: parsed.port, front: "auto", position };
}

function isListener(listener: ListenerConfig | undefined): listener is ListenerConfig {
  return listener !== undefined;
}
