import type * as Crypto from "node:crypto";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LIMITS } from "../../base/limits.ts";
import { MessageFields } from "./message-fields.ts";
import { Status } from "./types.ts";

/** Loaded late: a worker that signs nothing starts sooner. */
export function crypto(): typeof Crypto {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  return require("node:crypto") as typeof Crypto;
}

/**
 * `verify_signature`: RSA (PKCS #1 v1.5) or ECDSA (DER) over a text.
 *
 *   in   1 hash name, 2 key as DER or 5 as PEM (SubjectPublicKeyInfo), 3 signature, 4 text
 *   out  1 whether it is valid, 2 why not
 *
 * @returns BadArgument for what is no such message, and without exactly one key
 */
export function verifySignature(argument: Uint8Array): Uint8Array | Status {
  const fields = MessageFields.of(argument);
  if (fields === undefined) return Status.BadArgument;
  const source = keySource(fields.bytes(2), fields.bytes(5));
  if (source === undefined) return Status.BadArgument;
  const answer = work(fields.latin1(1), source, "verify", (hash) => {
    const key = bounded(crypto().createPublicKey({ ...source, type: "spki" }));
    const isValid = crypto().verify(hash, fields.bytes(4), key, fields.bytes(3));
    if (!isValid) throw new Refused("Failed to verify digest. Error code: 0");
    return NOTHING;
  });
  return messageOf(answer, 2, 3);
}

/**
 * `sign`: the same, the other way round.
 *
 *   in   1 hash name, 2 key as DER (PKCS #8) or 4 as PEM, 3 text
 *   out  1 whether it is signed, 2 signature, 3 why not
 *
 * @returns BadArgument as above
 */
export function sign(argument: Uint8Array): Uint8Array | Status {
  const fields = MessageFields.of(argument);
  if (fields === undefined) return Status.BadArgument;
  const source = keySource(fields.bytes(2), fields.bytes(4));
  if (source === undefined) return Status.BadArgument;
  const answer = work(fields.latin1(1), source, "sign", (hash) =>
    crypto().sign(
      hash,
      fields.bytes(3),
      bounded(crypto().createPrivateKey({ ...source, type: "pkcs8" })),
    ),
  );
  return messageOf(answer, 3, 2);
}

/** Names of the hash functions, in any case. */
const HASHES: ReadonlySet<string> = new Set(["sha1", "sha224", "sha256", "sha384", "sha512"]);

/** Why there is no result, in words that the guest is given. */
class Refused extends Error {}

type Source = { readonly key: Buffer; readonly format: "der" | "pem" };

/** Exactly one of both. */
function keySource(der: Uint8Array, pem: Uint8Array): Source | undefined {
  if (der.byteLength > 0 === pem.byteLength > 0) return undefined;
  return der.byteLength > 0
    ? { key: Buffer.from(der), format: "der" }
    : { key: Buffer.from(pem), format: "pem" };
}

/** @returns the result, or why there is none */
function work(
  hash: string,
  source: Source,
  verb: "sign" | "verify",
  body: (hash: string) => Uint8Array,
): Uint8Array | string {
  const name = hash.toLowerCase();
  if (source.key.byteLength > LIMITS.guestKeyBytesMax) {
    return `Keys of more than ${LIMITS.guestKeyBytesMax} bytes are not supported.`;
  }
  if (!HASHES.has(name)) return `${hash.slice(0, LIMITS.guestNameBytesMax)} is not supported.`;
  try {
    return body(name);
  } catch (error) {
    // A key that cannot be read, or is not of a kind that signs digests.
    return error instanceof Refused ? error.message : `Failed to initialize digest ${verb}.`;
  }
}

/** @throws Refused for a key with which one call takes longer than a callback may */
function bounded(key: Crypto.KeyObject): Crypto.KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits <= LIMITS.guestKeyBitsMax) return key;
  throw new Refused(`Keys of more than ${LIMITS.guestKeyBitsMax} bits are not supported.`);
}

function messageOf(answer: Uint8Array | string, errorField: number, bytesField: number) {
  const writer = new BinaryWriter();
  if (typeof answer === "string") {
    return writer.tag(errorField, WireType.LengthDelimited).bytes(latin1(answer)).finish();
  }
  writer.tag(1, WireType.Varint).bool(true);
  if (answer.byteLength > 0) writer.tag(bytesField, WireType.LengthDelimited).bytes(answer);
  return writer.finish();
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

const NOTHING = new Uint8Array(0);
