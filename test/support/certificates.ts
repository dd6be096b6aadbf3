import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A self-signed certificate, both in PEM form. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const KINDS = {
  ecdsa: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  rsa: ["rsa:2048"],
} as const;

/**
 * Makes a certificate for these names; 127.0.0.1 and localhost are among them.
 * @throws Error when there is no openssl
 */
export function makeCertificate(
  names: readonly string[],
  kind: keyof typeof KINDS = "ecdsa",
): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  try {
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    const alternatives = ["IP:127.0.0.1", ...[...names, "localhost"].map((name) => `DNS:${name}`)];
    const made = ["req", "-x509", "-nodes", "-newkey", ...KINDS[kind], "-days", "30"];
    const named = ["-subj", `/CN=${names[0] ?? "localhost"}`];
    const extended = ["-addext", `subjectAltName=${alternatives.join()}`];
    openssl([...made, ...named, ...extended, "-keyout", files.key, "-out", files.cert]);
    return { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns the same key under a password */
export function encrypted(key: string): string {
  const args = ["pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:secret"];
  return openssl(args, key);
}

function openssl(args: readonly string[], input = ""): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["openssl", ...args], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode === 0) return stdout.toString();
  throw new Error(`Cannot run openssl ${args.join(" ")}: ${stderr.toString()}`);
}
