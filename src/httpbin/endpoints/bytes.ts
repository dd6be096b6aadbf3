import { LIMITS } from "../../base/limits.ts";
import { countBody } from "../body.ts";
import type { Call } from "../call.ts";
import { integer } from "../numbers.ts";
import { json, Refusal, streamed } from "../reply.ts";
import type { Endpoint } from "../router.ts";
import { SeededBytes } from "../seeded-bytes.ts";
import { zeros } from "../zero-file.ts";

/** Endpoints for bodies of a given size, both ways. */
export const BYTES: readonly Endpoint[] = [
  {
    path: "/bytes/:n",
    methods: ["GET"],
    about: "n bytes with their length (?seed=)",
    answer: bytes,
  },
  {
    path: "/stream-bytes/:n",
    methods: ["GET"],
    about: "n bytes, chunked (?seed=&chunk_size=), or zeros with their length (?length=1)",
    answer: streamBytes,
  },
  {
    path: "/upload",
    methods: ["POST", "PUT", "PATCH"],
    about: "counts the bytes of the request body",
    answer: upload,
  },
];

const BINARY = { "Content-Type": "application/octet-stream" };
const CHUNK_BYTES = 64 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;

function bytes(call: Call): Response {
  const length = lengthOf(call, LIMITS.httpbinBytesMax);
  return new Response(new SeededBytes(seedOf(call)).window(0, length), { headers: BINARY });
}

function streamBytes(call: Call): Response {
  const length = lengthOf(call, LIMITS.httpbinStreamBytesMax);
  if (call.query.get("length") === "1") return knownLength(call, length);
  const range = { min: 1, max: CHUNK_BYTES_MAX };
  const chunkBytes = integer("chunk_size", call.query.get("chunk_size") ?? `${CHUNK_BYTES}`, range);
  const source = new SeededBytes(seedOf(call));
  let sent = 0;
  return streamed(() => {
    if (sent === length) return undefined;
    const chunk = source.window(sent, Math.min(chunkBytes, length - sent));
    sent += chunk.byteLength;
    return chunk;
  });
}

function knownLength(call: Call, length: number): Response {
  if (call.query.has("seed"))
    throw new Refusal(400, "Cannot seed a body of known length: it is zeros");
  // Set here, or the server would name the file in a Content-Disposition and answer ranges of it.
  const headers = { ...BINARY, "Content-Disposition": "inline" };
  return new Response(zeros(length), { status: 200, headers });
}

async function upload(call: Call): Promise<Response> {
  return json({ bytes: await countBody(call.request) });
}

function lengthOf(call: Call, max: number): number {
  return integer("number of bytes", call.params["n"] ?? "", { min: 0, max });
}

function seedOf(call: Call): number {
  const seed = call.query.get("seed");
  if (seed === null) return crypto.getRandomValues(new Uint32Array(1))[0] as number;
  return integer("seed", seed, { min: 0, max: 0xffff_ffff });
}
