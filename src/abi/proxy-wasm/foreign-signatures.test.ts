import { describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { LIMITS } from "../../base/limits.ts";
import { OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const TEXT = Buffer.from("what is signed");
const HASHES = ["sha1", "sha224", "sha256", "sha384", "sha512", "SHA256"];
const KINDS = [
  { kind: "RSA", pair: RSA },
  { kind: "ECDSA", pair: EC },
].flatMap((each) => HASHES.map((hash) => ({ ...each, hash })));

describe("verify_signature()", () => {
  test.each(KINDS)("knows valid signatures: $kind, $hash", ({ pair, hash }) => {
    const signature = sign(hash, TEXT, pair.privateKey);
    const key = spki(pair.publicKey);
    const rest = [field(3, signature), field(4, TEXT)];
    const result = call("verify_signature", field(1, hash), field(2, key.der), ...rest);
    expect(result).toEqual({ status: Status.Ok, hex: "0801" });
    expect(call("verify_signature", field(1, hash), field(5, key.pem), ...rest)).toEqual(result);
  });

  test.each([
    { what: "another text", text: "other", signature: sign("sha256", TEXT, RSA.privateKey) },
    { what: "another key", text: TEXT, signature: sign("sha256", TEXT, EC.privateKey) },
    { what: "no signature", text: TEXT, signature: "" },
    { what: "half a signature", text: TEXT, signature: "half" },
  ])("says that it is not for $what", ({ text, signature }) => {
    const fields = [field(2, spki(RSA.publicKey).der), field(3, signature), field(4, text)];
    const result = call("verify_signature", field(1, "sha256"), ...fields);
    expect(result).toEqual(refusal(2, "Failed to verify digest. Error code: 0"));
  });

  test.each([
    { what: "a hash", hash: "md5", key: field(5, ""), why: "md5 is not supported." },
    { what: "no hash", hash: "", key: field(5, ""), why: " is not supported." },
    { what: "no DER", hash: "sha256", key: field(2, "x"), why: cannot("verify") },
    { what: "no PEM", hash: "sha256", key: field(5, "x"), why: cannot("verify") },
  ])("says what is wrong: $what", ({ hash, key, why }) => {
    const given = key.byteLength > 2 ? key : field(2, spki(RSA.publicKey).der);
    const result = call("verify_signature", field(1, hash), given, field(4, TEXT));
    expect(result).toEqual(refusal(2, why));
  });

  test("does not work with keys that would take it long", () => {
    const modulusLength = LIMITS.guestKeyBitsMax * 2;
    const n = Buffer.alloc(modulusLength / 8, 0xff).toString("base64url");
    const key = { kty: "RSA", n, e: "AQAB" };
    const { der } = spki(createPublicKey({ key, format: "jwk" }));
    const result = call("verify_signature", field(1, "sha256"), field(2, der), field(4, TEXT));
    expect(result).toEqual(refusal(2, "Keys of more than 4096 bits are not supported."));
  });
});

describe("sign()", () => {
  test("does not read keys that are longer than any that it works with", () => {
    const key = field(4, "k".repeat(LIMITS.guestKeyBytesMax + 1));
    const why = "Keys of more than 4096 bytes are not supported.";
    expect(call("sign", field(1, "sha256"), key, field(3, TEXT))).toEqual(refusal(3, why));
  });

  test.each(KINDS)("signs: $kind, $hash", ({ pair, hash }) => {
    const der = pair.privateKey.export({ format: "der", type: "pkcs8" });
    const pem = pair.privateKey.export({ format: "pem", type: "pkcs8" });
    for (const key of [field(2, der), field(4, pem)]) {
      const { status, hex } = call("sign", field(1, hash), key, field(3, TEXT));
      expect(status).toBe(Status.Ok);
      const bytes = Buffer.from(hex, "hex");
      expect(bytes.subarray(0, 3).toHex()).toBe("080112");
      const signature = bytes.subarray(bytes.byteLength < 128 + 4 ? 4 : 5);
      expect(verify(hash, TEXT, pair.publicKey, signature)).toBe(true);
    }
  });

  test("says what is wrong", () => {
    const der = field(2, RSA.privateKey.export({ format: "der", type: "pkcs8" }));
    expect(call("sign", field(1, "md4"), der)).toEqual(refusal(3, "md4 is not supported."));
    const noKey = call("sign", field(1, "sha256"), field(2, "x"), field(3, TEXT));
    expect(noKey).toEqual(refusal(3, cannot("sign")));
    const publicKey = field(2, spki(RSA.publicKey).der);
    expect(call("sign", field(1, "sha256"), publicKey)).toEqual(refusal(3, cannot("sign")));
  });
});

describe("verify_signature() and sign(), errors", () => {
  const key = field(2, spki(RSA.publicKey).der);

  test.each(["verify_signature", "sign"])(
    "%s answers BadArgument for what it cannot read",
    (name) => {
      const pem = field(name === "sign" ? 4 : 5, spki(RSA.publicKey).pem);
      expect(call(name).status).toBe(Status.BadArgument);
      expect(call(name, field(1, "sha256")).status).toBe(Status.BadArgument);
      expect(call(name, field(1, "sha256"), key, pem).status).toBe(Status.BadArgument);
      for (const wrong of ["0a", "0aff01", "08", "ff", "0affffffff0f", "00", "0b", "0c", "07"]) {
        expect(call(name, key, Buffer.from(wrong, "hex")).status).toBe(Status.BadArgument);
      }
    },
  );

  test("fields that nobody knows do no harm, and the last of each counts", () => {
    const extra = [Buffer.from("f00101f90102030405060708090a", "hex").subarray(0, 3)];
    const signature = field(3, sign("sha256", TEXT, RSA.privateKey));
    const fields = [field(1, "md5"), field(1, "sha256"), key, signature, field(4, TEXT), ...extra];
    expect(call("verify_signature", ...fields).hex).toBe("0801");
  });
});

function spki(key: KeyObject): { der: Buffer; pem: string } {
  return {
    der: key.export({ format: "der", type: "spki" }),
    pem: key.export({ format: "pem", type: "spki" }),
  };
}

function cannot(verb: string): string {
  return `Failed to initialize digest ${verb}.`;
}

/** A field of bytes on the wire, written apart from the code under test. */
function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  const length = bytes.byteLength;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
}

function refusal(number: number, why: string): { status: Status; hex: string } {
  return { status: Status.Ok, hex: field(number, why).toHex() };
}

function call(name: string, ...fields: Uint8Array[]): { status: number; hex: string } {
  const kit = new ScriptedGuest();
  const status = kit.within(undefined, (env) => {
    const argument = kit.put(Buffer.concat(fields));
    return env.proxy_call_foreign_function(...kit.put(name), ...argument, OUT, OUT + 4);
  });
  return { status, hex: kit.taken().toHex() };
}
