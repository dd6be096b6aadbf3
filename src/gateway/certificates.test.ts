import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encrypted, makeCertificate } from "../../test/support/certificates.ts";
import { LIMITS } from "../base/limits.ts";
import type { Position, SslConfig } from "../config/config.ts";
import { readCertificates } from "./certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "certificates-"));
afterAll(() => rmSync(folder, { recursive: true }));

const one = makeCertificate(["a.test", "*.b.test"]);
const other = makeCertificate(["c.test"], "rsa");
let files = 0;

/** A configuration with that in the files. */
function ssl(cert: string, key: string, snis = ["a.test"]): SslConfig {
  const place = (content: string, line: number): SslConfig["cert"] => {
    const file = join(folder, `${files++}.pem`);
    writeFileSync(file, content);
    return { file, position: at(line) };
  };
  return { snis, cert: place(cert, 2), key: place(key, 3), position: at(1) };
}

function at(line: number): Position {
  return { line, column: 5, length: 1 };
}

async function read(ssls: readonly SslConfig[], nowMs?: number) {
  const outcome = await readCertificates({ file: "/gateway.yaml", ssls }, nowMs);
  const told = outcome.diagnostics.map(({ severity, code, position, message }) => {
    return `${severity} ${code} ${position?.line}: ${message}`;
  });
  return { ...outcome, told };
}

describe("readCertificates()", () => {
  test("hands over what belongs together, in order", async () => {
    const { certificates, told } = await read([
      ssl(one.cert, one.key, ["a.test", "*.b.test"]),
      ssl(other.cert, other.key, ["c.test"]),
    ]);
    expect(told).toEqual([]);
    expect(certificates.map(({ snis }) => snis)).toEqual([["a.test", "*.b.test"], ["c.test"]]);
    expect(certificates[0]).toMatchObject(one);
    expect(certificates[1]).toMatchObject(other);
  });

  test("takes a chain, and both in one file", async () => {
    const both = one.cert + one.key;
    const { certificates, told } = await read([
      ssl(one.cert + other.cert, one.key),
      ssl(both, both),
    ]);
    expect(told).toEqual([]);
    expect(certificates).toHaveLength(2);
  });

  test("has another hash for another certificate, key or name", async () => {
    const renewed = makeCertificate(["a.test"]);
    const hashes = new Set<string>();
    for (const each of [one, renewed]) {
      for (const name of ["a.test", "localhost"]) {
        for (let n = 0; n < 2; n++) {
          const { certificates } = await read([ssl(each.cert, each.key, [name])]);
          hashes.add(certificates[0]?.hash ?? "");
        }
      }
    }
    expect(hashes.size).toBe(4);
  });

  test.each([
    [
      "no certificate",
      "",
      one.key,
      "error CERTIFICATE_BAD 2: Cannot use the certificate: the file",
    ],
    ["a key alone", one.key, one.key, "error CERTIFICATE_BAD 2: Cannot use the certificate: the"],
    [
      "no key",
      one.cert,
      one.cert,
      "error CERTIFICATE_KEY 3: Cannot use the key: the file holds no",
    ],
    [
      "another's key",
      one.cert,
      other.key,
      "error CERTIFICATE_KEY 3: Cannot use the key: it is not",
    ],
    [
      "a locked key",
      one.cert,
      encrypted(one.key),
      "error CERTIFICATE_KEY 3: Cannot use the key: it",
    ],
    [
      "half a chain",
      `${one.cert}${other.cert.replaceAll(/^M.*$/gm, "")}`,
      one.key,
      "error CERTIFICATE_BAD 2: Cannot use the certificate: number 2 of the 2 in the file",
    ],
    [
      "a large file",
      one.cert,
      "x".repeat(LIMITS.pemBytesMax + 1),
      "error CERTIFICATE_UNREADABLE 3: Cannot read the key: the file has 262145 bytes",
    ],
  ])("refuses %s, and quotes nothing of it", async (_, cert, key, expected) => {
    const { told, diagnostics } = await read([ssl(cert, key)]);
    expect(told).toHaveLength(1);
    expect(told[0]).toStartWith(expected);
    const shown = JSON.stringify(diagnostics);
    for (const line of one.key.split("\n").slice(1, -2)) expect(shown).not.toContain(line);
  });

  test("refuses a file that has gone since it was looked for", async () => {
    const gone = ssl(one.cert, one.key);
    rmSync(gone.key.file);
    const { told } = await read([gone]);
    expect(told[0]).toStartWith("error CERTIFICATE_UNREADABLE 3: Cannot read the key: ");
  });

  test("warns of a time or a name that clients will not accept", async () => {
    const years = 365 * 24 * 3_600_000;
    const late = await read([ssl(one.cert, one.key)], Date.now() + years);
    expect(late.told[0]).toStartWith("warning CERTIFICATE_EXPIRED 2: the certificate has expired");
    const early = await read([ssl(one.cert, one.key)], Date.now() - years);
    expect(early.told[0]).toStartWith(
      "warning CERTIFICATE_EXPIRED 2: the certificate begins later",
    );
    const named = await read([ssl(one.cert, one.key, ["a.test", "x.test", "*.a.test"])]);
    expect(named.told[0]).toStartWith('warning CERTIFICATE_NAME 2: the certificate is not for "x.');
    expect(named.told[0]).toContain('"x.test", "*.a.test"');
    for (const { certificates } of [late, early, named]) expect(certificates).toHaveLength(1);
  });
});
