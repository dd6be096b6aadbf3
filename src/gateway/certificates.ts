import type * as Crypto from "node:crypto";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Config, Position, SslConfig, SslFile } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";

/** A certificate with its key, as workers get it: the key is secret. */
export interface Certificate {
  readonly snis: readonly string[];
  /** PEM, the chain included. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** SHA-256 of all of it, hex: another one is another certificate. */
  readonly hash: string;
}

/**
 * Reads and checks the certificates of a configuration, all of them. No message quotes a file.
 * @param nowMs wall clock; an expired certificate is a warning: clients may be told to accept it
 */
export async function readCertificates(
  config: Pick<Config, "file" | "ssls">,
  nowMs: number = Date.now(),
): Promise<{ certificates: Certificate[]; diagnostics: Diagnostic[] }> {
  const certificates: Certificate[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const ssl of config.ssls) {
    const report: Report = (severity, code, position, message, hint) => {
      const { file } = config;
      diagnostics.push({ severity, code: `CERTIFICATE_${code}`, message, file, position, hint });
    };
    const [cert, key] = await Promise.all([
      readPem(ssl.cert, "certificate", report),
      readPem(ssl.key, "key", report),
    ]);
    const leaf = cert === undefined ? undefined : parseChain(cert, ssl, report);
    const secret = key === undefined ? undefined : parseKey(key, ssl, report);
    if (leaf !== undefined) checkLeaf(leaf, ssl, nowMs, report);
    if (leaf === undefined || secret === undefined) continue;
    if (!leaf.checkPrivateKey(secret)) {
      const message = "Cannot use the key: it is not that of the certificate";
      const hint = `the certificate is in line ${ssl.cert.position.line}, or files are mixed up`;
      report("error", "KEY", ssl.key.position, message, hint);
    }
    certificates.push(sealed(ssl.snis, cert ?? "", key ?? ""));
  }
  return { certificates, diagnostics };
}

type Report = (
  severity: Diagnostic["severity"],
  code: "UNREADABLE" | "BAD" | "KEY" | "EXPIRED" | "NAME",
  position: Position,
  message: string,
  hint?: string,
) => void;

function sealed(snis: readonly string[], cert: string, key: string): Certificate {
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify([snis, cert, key]));
  return { snis, cert, key, hash: hash.digest("hex") };
}

async function readPem(
  { file, position }: SslFile,
  what: string,
  report: Report,
): Promise<string | undefined> {
  try {
    const { size } = Bun.file(file);
    if (size <= LIMITS.pemBytesMax) return await Bun.file(file).text();
    const message = `Cannot read the ${what}: the file has ${size} bytes`;
    report("error", "UNREADABLE", position, `${message}, the limit is ${LIMITS.pemBytesMax}`);
  } catch (error) {
    report("error", "UNREADABLE", position, `Cannot read the ${what}: ${messageOf(error)}`);
  }
  return undefined;
}

/** Loaded for who has certificates: it takes 10 ms, a sixth of a start. */
function crypto(): typeof Crypto {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  return require("node:crypto") as typeof Crypto;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** @returns the first one, when all can be read */
function parseChain(
  pem: string,
  { cert }: SslConfig,
  report: Report,
): Crypto.X509Certificate | undefined {
  const { X509Certificate } = crypto();
  const texts = pem.match(CERTIFICATE) ?? [];
  const chain: Crypto.X509Certificate[] = [];
  for (const text of texts) {
    try {
      chain.push(new X509Certificate(text));
    } catch {
      const which = `number ${chain.length + 1} of the ${texts.length} in the file is damaged`;
      report("error", "BAD", cert.position, `Cannot use the certificate: ${which}`);
      return undefined;
    }
  }
  if (chain[0] === undefined) {
    const message = "Cannot use the certificate: the file holds none in PEM form";
    report("error", "BAD", cert.position, message, 'it begins with "-----BEGIN CERTIFICATE-----"');
  }
  return chain[0];
}

function parseKey(pem: string, { key }: SslConfig, report: Report): Crypto.KeyObject | undefined {
  try {
    return crypto().createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = (error as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE";
    const why = isEncrypted ? "it is encrypted" : "the file holds no private key in PEM form";
    const hint = isEncrypted ? "decrypt it, and protect the file by its mode" : undefined;
    report("error", "KEY", key.position, `Cannot use the key: ${why}`, hint);
    return undefined;
  }
}

function checkLeaf(
  leaf: Crypto.X509Certificate,
  ssl: SslConfig,
  nowMs: number,
  report: Report,
): void {
  const { position } = ssl.cert;
  if (Date.parse(leaf.validTo) < nowMs) {
    report("warning", "EXPIRED", position, `the certificate has expired, on ${leaf.validTo}`);
  } else if (Date.parse(leaf.validFrom) > nowMs) {
    report("warning", "EXPIRED", position, `the certificate begins later, on ${leaf.validFrom}`);
  }
  // A wildcard is compared by a name that it stands for.
  const uncovered = ssl.snis.filter((sni) => {
    return leaf.checkHost(sni.replace(/^\*/, "any")) === undefined;
  });
  if (uncovered.length === 0) return;
  const names = uncovered.map((name) => JSON.stringify(name)).join(", ");
  report(
    "warning",
    "NAME",
    position,
    `the certificate is not for ${names}, clients will refuse it`,
  );
}
