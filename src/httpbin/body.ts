import { LIMITS } from "../base/limits.ts";
import { concat } from "../http/body.ts";
import { type Values, valuesOf } from "./call.ts";
import { Refusal } from "./reply.ts";

/** The keys of httpbin's answers that tell about a request body. */
export interface BodyShape {
  /** The body as text, or as a data: URL when it is not UTF-8; empty when it was a form. */
  readonly data: string;
  /** Contents of a multipart form's files, by field. */
  readonly files: Values;
  readonly form: Values;
  /** The body as JSON, whatever its Content-Type says; null when it is none. */
  readonly json: unknown;
}

/** Reads the whole body. @throws Refusal 413 above LIMITS.httpbinEchoBytesMax */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunksOf(request)) {
    total += chunk.byteLength;
    if (total > LIMITS.httpbinEchoBytesMax) throw tooLarge(LIMITS.httpbinEchoBytesMax);
    chunks.push(chunk);
  }
  return concat(chunks, total) as Uint8Array<ArrayBuffer>;
}

/** Reads the body and forgets it. @returns its bytes. @throws Refusal 413 */
export async function countBody(request: Request): Promise<number> {
  let total = 0;
  for await (const chunk of chunksOf(request)) {
    total += chunk.byteLength;
    if (total > LIMITS.httpbinUploadBytesMax) throw tooLarge(LIMITS.httpbinUploadBytesMax);
  }
  return total;
}

export async function bodyShape(request: Request): Promise<BodyShape> {
  const bytes = await readBody(request);
  const type = request.headers.get("content-type") ?? "";
  if (/^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) {
    return { data: "", ...(await formShape(bytes, type)), json: null };
  }
  const data = textOrDataUrl(bytes);
  return { data, files: {}, form: {}, json: parseJson(data) };
}

function chunksOf(request: Request): AsyncIterable<Uint8Array> {
  return request.body ?? new Blob([]).stream();
}

function tooLarge(bytesMax: number): Refusal {
  // The rest of the body is still on its way: this connection cannot carry another request.
  const headers = { Connection: "close" };
  return new Refusal(413, `Cannot take a body of more than ${bytesMax} bytes here`, headers);
}

async function formShape(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<{ files: Values; form: Values }> {
  const fields: [string, string][] = [];
  const files: [string, string][] = [];
  const parsed = await parseForm(bytes, type);
  for (const [name, value] of parsed.entries()) {
    if (typeof value === "string") fields.push([name, value]);
    else files.push([name, textOrDataUrl(await value.bytes())]);
  }
  return { files: valuesOf(files), form: valuesOf(fields) };
}

type Form = Awaited<ReturnType<Response["formData"]>>;

async function parseForm(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Form> {
  try {
    return await new Response(bytes, { headers: { "Content-Type": type } }).formData();
  } catch {
    throw new Refusal(400, `Cannot read the body as ${type.split(";")[0]}: it is malformed`);
  }
}

/** The type is always the general one: the parser of forms forgets what a file's was. */
function textOrDataUrl(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`;
  }
}

function parseJson(text: string): unknown {
  const indented = text.length * (1 + nesting(text));
  if (indented > LIMITS.httpbinIndentedBytesMax) {
    const limit = `${LIMITS.httpbinIndentedBytesMax} bytes`;
    throw new Refusal(
      413,
      `Cannot show JSON so deep: about ${indented} bytes, the limit is ${limit}`,
    );
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Depth of brackets; those inside strings count too, which is only ever too strict. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x5b || char === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x5d || char === 0x7d) depth--;
  }
  return deepest;
}
