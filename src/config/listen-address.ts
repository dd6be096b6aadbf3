import { parseAddress } from "./address.ts";
import { type Findings, quote } from "./findings.ts";
import type { Span } from "./tree.ts";

/** Where something listens, as it is written and as it is read. */
export interface ListenAddress {
  readonly address: string;
  /** Lower case, no brackets. */
  readonly host: string;
  readonly port: number;
}

/** Whose addresses are read: its words in a diagnostic, and what a hint completes them with. */
export interface ListenKind {
  readonly noun: string;
  readonly exampleHost: string;
  readonly examplePort: number;
}

/** @returns undefined when it is a finding: it cannot be read, or lacks a host or a port */
export function readListenAddress(
  address: string,
  span: Span,
  { noun, exampleHost, examplePort }: ListenKind,
  findings: Findings,
): ListenAddress | undefined {
  const parsed = parseAddress(/^\d+$/.test(address) ? `:${address}` : address);
  if ("problem" in parsed) {
    const message = `${noun} ${quote(address)} ${parsed.problem}`;
    const hint = parsed.hint?.replace("0.0.0.0", exampleHost);
    findings.error("CONFIG_BAD_ADDRESS", span, message, hint);
    return undefined;
  }
  if (parsed.port === undefined) {
    const hint = `did you mean ${quote(`${address}:${examplePort}`)}?`;
    findings.error("CONFIG_BAD_ADDRESS", span, `${noun} ${quote(address)} has no port`, hint);
    return undefined;
  }
  return { address, host: parsed.host.toLowerCase(), port: parsed.port };
}

/**
 * Reports an address that stands in its list already.
 * @param seen the spans before it, by host and port; filled
 */
export function reportRepeated(
  { address, host, port }: ListenAddress,
  span: Span,
  noun: string,
  seen: Map<string, Span>,
  findings: Findings,
): void {
  if (port === 0) return; // Another one each time.
  const key = `${host} ${port}`;
  const before = seen.get(key);
  if (before !== undefined) {
    const { line } = findings.source.position(before);
    const message = `${noun} ${quote(address)} stands in the list already, in line ${line}`;
    findings.error("CONFIG_DUPLICATE_LISTENER", span, message);
  }
  seen.set(key, span);
}
