import type { UpstreamConfig } from "./config.ts";
import { type Findings, quote } from "./findings.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, nodeAt } from "./tree.ts";
import { foundIn } from "./wording.ts";

export interface KnownUpstreams {
  readonly byId: ReadonlyMap<string, UpstreamConfig>;
  /** Unknown ids are not reported: an upstream's own id has an error. */
  readonly isIncomplete: boolean;
}

export function knownUpstreams(
  raw: RawGateway,
  named: readonly UpstreamConfig[],
  root: ConfigNode,
): KnownUpstreams {
  const unread = nodeAt(root, "upstreams") !== undefined && raw.upstreams === undefined;
  const unnamed = raw.upstreams?.some((upstream) => upstream?.id === undefined) === true;
  return {
    byId: new Map(named.map((upstream) => [upstream.id, upstream])),
    isIncomplete: unread || unnamed,
  };
}

export function reportUnknownUpstream(
  id: string,
  node: ConfigNode,
  known: KnownUpstreams,
  findings: Findings,
): void {
  if (known.isIncomplete) return;
  const near = findings.didYouMean(id, known.byId.keys());
  const hint = near ?? (known.byId.size === 0 ? "the file declares no upstreams" : undefined);
  const isVariable = node.kind === "scalar" && node.substituted;
  const shown = isVariable ? foundIn(node) : quote(id);
  findings.error("CONFIG_UNKNOWN_UPSTREAM", node, `unknown upstream ${shown}`, hint);
}
