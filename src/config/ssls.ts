import { dirname, resolve } from "node:path";
import type { ListenerConfig, SslConfig, SslFile } from "./config.ts";
import { type Findings, quote } from "./findings.ts";
import type { PluginFiles } from "./plugin-files.ts";
import { readHost } from "./route-match.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, type ScalarNode, type Span, nodeAt } from "./tree.ts";
import { foundIn } from "./wording.ts";

/** Where certificates come from. */
export interface SslSources {
  /** Absolute path of gateway.yaml. */
  readonly file: string;
  readonly pluginFiles: PluginFiles;
}

/**
 * Reads `ssls`, as far as that goes without opening a file: what is in them is checked when they
 * are read. No message quotes what a variable has brought, nor anything that could be a key.
 */
export function readSsls(
  raw: RawGateway["ssls"],
  root: ConfigNode,
  sources: SslSources,
  findings: Findings,
): SslConfig[] {
  const seen = new Map<string, Span>();
  const ssls: SslConfig[] = [];
  for (const [index, item] of (raw ?? []).entries()) {
    const node = nodeAt(root, "ssls", index);
    if (item === undefined || node === undefined) continue;
    const where = `"ssls[${index}]`;
    const snis = readSnis(item.snis ?? [], node, seen, findings);
    const cert = readFile(`${where}.cert"`, nodeAt(node, "cert"), sources, findings);
    const key = readFile(`${where}.key"`, nodeAt(node, "key"), sources, findings);
    if (cert === undefined || key === undefined) continue;
    ssls.push({ snis, cert, key, position: findings.source.position(node) });
  }
  return ssls;
}

/** That a listener with `tls` can have the certificates. @param node of the listener */
export function checkTls(
  { address, front }: Pick<ListenerConfig, "address" | "front">,
  node: ConfigNode,
  certificates: number,
  findings: Findings,
): void {
  const shown = `listener ${quote(address)}`;
  if (certificates === 0) {
    const message = `${shown} has "tls: true", and "ssls" has no certificate for it`;
    const hint = "add ssls: [{ snis: [example.com], cert: cert.pem, key: key.pem }]";
    findings.error("CONFIG_NO_CERTIFICATE", nodeAt(node, "tls") ?? node, message, hint);
  } else if (certificates > 1 && front === "http1") {
    const message = `${shown} is on front http1, which has one certificate, not ${certificates}`;
    const hint = "leave the front out, or write front: serve, which chooses by the client's SNI";
    findings.error("CONFIG_TLS_FRONT", nodeAt(node, "front") ?? node, message, hint);
  }
}

/** That somebody uses the certificates. */
export function checkSslUse(
  listeners: readonly ListenerConfig[],
  root: ConfigNode,
  findings: Findings,
): void {
  const node = nodeAt(root, "ssls");
  if (node === undefined || listeners.some(({ tls }) => tls)) return;
  const message = '"ssls" has no effect: no listener has "tls: true"';
  findings.warning("CONFIG_UNUSED_KEY", node, message);
}

function readSnis(
  written: readonly (string | undefined)[],
  node: ConfigNode,
  seen: Map<string, Span>,
  findings: Findings,
): string[] {
  const snis: string[] = [];
  for (const [index, sni] of written.entries()) {
    const span = nodeAt(node, "snis", index);
    if (sni === undefined || span === undefined) continue;
    const read = readSni(sni);
    if ("problem" in read) {
      const message = `server name ${foundIn(span)} ${read.problem}`;
      findings.error("CONFIG_BAD_HOST", span, message, read.hint);
      continue;
    }
    const before = seen.get(read.host);
    if (before !== undefined) {
      const { line } = findings.source.position(before);
      const message = `server name ${foundIn(span)} has a certificate already, in line ${line}`;
      findings.error("CONFIG_DUPLICATE_ID", span, message);
    }
    seen.set(read.host, span);
    snis.push(read.host);
  }
  return snis;
}

/** As a route's host, but that clients name neither addresses nor ports. */
function readSni(written: string): ReturnType<typeof readHost> | { problem: string; hint: string } {
  if (written === "*") {
    const hint = "any name will do: who asks for one without a certificate gets the first one";
    return { problem: "is no wildcard", hint };
  }
  if (/:\d+$/.test(written)) return { problem: "has a port", hint: "leave it out" };
  const read = readHost(written);
  if ("problem" in read) return read;
  if (/^\[|^[\d.]+$/.test(read.host))
    return { problem: "is an address", hint: "clients ask for names alone" };
  return read;
}

/** @returns undefined when it is a finding */
function readFile(
  where: string,
  node: ConfigNode | undefined,
  { file, pluginFiles }: SslSources,
  findings: Findings,
): SslFile | undefined {
  if (node?.kind !== "scalar" || typeof node.value !== "string" || node.value === "") {
    return undefined; // A finding already.
  }
  if (/-----BEGIN|\n/.test(node.value)) {
    const message = `${where} takes the path of a PEM file, not what is in it`;
    const hint = "a private key has no place in the configuration: write it into a file";
    findings.error("CONFIG_CERTIFICATE_FILE", node, message, hint);
    return undefined;
  }
  const path = resolve(dirname(file), node.value);
  const problem = pluginFiles.problem(path);
  if (problem !== undefined) {
    const message = `the file of ${where} cannot be read: ${whyNot(node, path, problem)}`;
    findings.error("CONFIG_CERTIFICATE_FILE", node, message);
    return undefined;
  }
  return { file: path, position: findings.source.position(node) };
}

function whyNot(node: ScalarNode, path: string, problem: string): string {
  // What the system says may name the path.
  if (node.substituted) return `${foundIn(node)} is no path of a file that can be read`;
  return problem.includes(path) ? problem : `${path}: ${problem}`;
}
