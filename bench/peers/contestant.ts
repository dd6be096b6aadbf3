import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestCertificate } from "../../test/support/certificates.ts";
import type { Filter } from "./filters.ts";
import type { Prepared } from "./place.ts";

/** What all contestants of a case are to be: the same routes to the same upstream. */
export interface Setup {
  readonly workers: number;
  /** In this order; a filter may stand there several times. */
  readonly filters: readonly Filter[];
  /** Sluice: a pristine sandbox for each request. */
  readonly perRequest?: boolean;
  /** bytes; of a body, that filters have to be able to hold back. */
  readonly heldBytes?: number;
  /** A peer may also show what it can do with large bodies when it is told to. */
  readonly largeBodies?: boolean;
  /** Clients speak TLS 1.2 or 1.3 with the site's certificate. */
  readonly tls?: boolean;
  /** /item0/ and so on, each a route of its own; left out: one for everything. */
  readonly routes?: number;
}

/** What a contestant is configured for. */
export interface Site {
  /** An empty folder for its files, which it is started in. */
  readonly folder: string;
  readonly port: number;
  /** Port of the upstream on 127.0.0.1. */
  readonly upstream: number;
  /** Path of the first of its needs. */
  readonly executable: string;
  /** PEM; of a setup with TLS. */
  readonly certificate?: TestCertificate | undefined;
}

export interface Contestant {
  readonly name: string;
  /** Its executable first, then other files: paths, or names to look up in PATH. */
  readonly needs: readonly string[];
  /** Command that prints its version. */
  readonly version: readonly string[];
  /** Of load, after which one that was idle gets no faster. */
  readonly warmUpSeconds: number;
  /** It can be what the setup says. */
  suits(setup: Setup): boolean;
  /** @returns its configuration, and the command that starts it */
  prepare(setup: Setup, site: Site): Prepared;
}

export const ROOT = join(import.meta.dir, "../..");

/** Idle connections to the upstream: more than any case has clients. */
export const KEPT_ALIVE = 2048;
/** Connections, and requests at a time: more than any case has. */
export const CONNECTIONS_MAX = 8192;

/** Files of the site's certificate, in its folder; none without TLS. */
export function certificateFiles({ certificate }: Site): Prepared["files"] {
  if (certificate === undefined) return {};
  return { [CERT]: certificate.cert, [KEY]: certificate.key };
}

export const CERT = "cert.pem";
export const KEY = "key.pem";

/** No filters, one worker, one route: what every gateway can be. */
export function isPlain({ filters, routes }: Setup): boolean {
  return filters.length === 0 && routes === undefined;
}

/** @returns the path, or undefined when there is no such file */
export function find(need: string): string | undefined {
  if (need.includes("/")) return existsSync(need) ? need : undefined;
  // Servers are often where only the administrator's PATH leads.
  const PATH = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin`;
  return Bun.which(need, { PATH }) ?? undefined;
}

/** @returns the first thing in what a command prints that looks like a version */
export async function versionOf([need = "", ...args]: readonly string[]): Promise<string> {
  const executable = find(need);
  if (executable === undefined) return "unknown";
  const child = Bun.spawn({ cmd: [executable, ...args], stdio: ["ignore", "pipe", "pipe"] });
  const texts = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return readVersion(texts.join("\n"));
}

export function readVersion(text: string): string {
  return /(?<![\d.])\d+\.\d+\.\d+[\w.+-]*/.exec(text)?.[0] ?? "unknown";
}
