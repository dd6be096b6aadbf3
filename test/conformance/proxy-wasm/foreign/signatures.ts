import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { Case } from "../../case.ts";
import { type Asking, asking, message, ok } from "./asking.ts";

const PAIR = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PUBLIC = PAIR.publicKey.export({ type: "spki", format: "der" });
const PUBLIC_PEM = PAIR.publicKey.export({ type: "spki", format: "pem" });
const PRIVATE = PAIR.privateKey.export({ type: "pkcs8", format: "der" });
const PRIVATE_PEM = PAIR.privateKey.export({ type: "pkcs8", format: "pem" });
const TEXT = "what is signed";
const SIGNATURE = sign("sha256", Buffer.from(TEXT), PAIR.privateKey);
/** A key of 8192 bits. */
const HUGE = createPublicKey({
  format: "jwk",
  key: { kty: "RSA", e: "AQAB", n: Buffer.alloc(1024, 0xff).toString("base64url") },
}).export({ type: "spki", format: "der" });

function verifying(fields: Parameters<typeof message>[0]): Asking {
  return asking("verify_signature", message(fields));
}

function signing(fields: Parameters<typeof message>[0]): Asking {
  return asking("sign", message(fields));
}

/** One guest that asks all of them; each has its result. */
function all(name: string, asked: readonly (readonly [Asking, result: string])[]): Case {
  return {
    name,
    guest: { on: { proxy_on_request_headers: { calls: asked.map(([{ call }]) => call) } } },
    lines: asked.map(([{ line }, result]) => line(result)),
  };
}

const VALID = ok(message({ 1: 1 }));
const REFUSED = (why: string): string => ok(message({ 2: why }));
const NOT_SIGNED = (why: string): string => ok(message({ 3: why }));
/** Not a message: it ends within a field. */
const MALFORMED = "\x0a\xff";

export const signatureCases: readonly Case[] = [
  all("verify_signature says that a signature is valid, with a key as DER or as PEM", [
    [verifying({ 1: "sha256", 2: PUBLIC, 3: SIGNATURE, 4: TEXT }), VALID],
    [verifying({ 1: "SHA256", 3: SIGNATURE, 4: TEXT, 5: PUBLIC_PEM }), VALID],
  ]),
  all("verify_signature says why one is not: another text, hash, signature or key", [
    [
      verifying({ 1: "sha256", 2: PUBLIC, 3: SIGNATURE, 4: "another" }),
      REFUSED("Failed to verify digest. Error code: 0"),
    ],
    [
      verifying({ 1: "sha512", 2: PUBLIC, 3: SIGNATURE, 4: TEXT }),
      REFUSED("Failed to verify digest. Error code: 0"),
    ],
    [
      verifying({ 1: "sha256", 2: PUBLIC, 4: TEXT }),
      REFUSED("Failed to verify digest. Error code: 0"),
    ],
    [verifying({ 1: "md5", 2: PUBLIC, 3: SIGNATURE, 4: TEXT }), REFUSED("md5 is not supported.")],
    [
      verifying({ 1: "sha256", 2: "no key", 3: SIGNATURE, 4: TEXT }),
      REFUSED("Failed to initialize digest verify."),
    ],
    [
      verifying({ 1: "sha256", 2: HUGE, 3: SIGNATURE, 4: TEXT }),
      REFUSED("Keys of more than 4096 bits are not supported."),
    ],
  ]),
  all("verify_signature answers BadArgument to no message, no key and two keys", [
    [asking("verify_signature", MALFORMED), "BadArgument"],
    [asking("verify_signature"), "BadArgument"],
    [verifying({ 1: "sha256", 3: SIGNATURE, 4: TEXT }), "BadArgument"],
    [verifying({ 1: "sha256", 2: PUBLIC, 3: SIGNATURE, 4: TEXT, 5: PUBLIC_PEM }), "BadArgument"],
  ]),
  all("sign signs, with a key as DER or as PEM", [
    [signing({ 1: "sha256", 2: PRIVATE, 3: TEXT }), ok(message({ 1: 1, 2: SIGNATURE }))],
    [signing({ 1: "sha256", 3: TEXT, 4: PRIVATE_PEM }), ok(message({ 1: 1, 2: SIGNATURE }))],
  ]),
  all("sign says why it does not: the hash, or the key", [
    [signing({ 1: "md5", 2: PRIVATE, 3: TEXT }), NOT_SIGNED("md5 is not supported.")],
    [
      signing({ 1: "sha256", 2: "no key", 3: TEXT }),
      NOT_SIGNED("Failed to initialize digest sign."),
    ],
    [signing({ 1: "sha256", 2: PUBLIC, 3: TEXT }), NOT_SIGNED("Failed to initialize digest sign.")],
  ]),
  all("sign answers BadArgument to no message, no key and two keys", [
    [asking("sign", MALFORMED), "BadArgument"],
    [asking("sign"), "BadArgument"],
    [signing({ 1: "sha256", 3: TEXT }), "BadArgument"],
    [signing({ 1: "sha256", 2: PRIVATE, 3: TEXT, 4: PRIVATE_PEM }), "BadArgument"],
  ]),
];
