/**
 * A second reading of RFC 9112 for tests of the parser: slow, on the whole text, by patterns, and
 * without a line of the parser's own code. Texts must be within all bounds but that of chunk lines.
 */

/** A request as it was understood. */
export interface ModelRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly framing: number | "chunked";
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly takesTrailers: boolean;
  readonly upgrade: string | undefined;
  readonly body: string;
  readonly trailers: ModelRequest["headers"];
}

export interface ModelReading {
  /** Those that are whole. */
  readonly requests: readonly ModelRequest[];
  /** What comes behind them: at most the beginning of a request, or what can be none. */
  readonly rest: "more" | "refused";
}

type Lines = ModelRequest["headers"];

class Stop extends Error {
  readonly why: "more" | "refused";

  constructor(why: "more" | "refused") {
    super(why);
    this.why = why;
  }
}

/** @param text latin-1 */
export function readByModel(text: string): ModelReading {
  const requests: ModelRequest[] = [];
  const source = { left: text };
  for (;;) {
    try {
      // Empty lines before a request are no beginning of one.
      if (/^(?:\r\n){0,4}\r?$/.test(source.left)) return { requests, rest: "more" };
      requests.push(oneRequest(source));
    } catch (error) {
      if (error instanceof Stop) return { requests, rest: error.why };
      throw error;
    }
  }
}

interface Source {
  left: string;
}

/** The next line, up to LF, without its CR. */
function line(source: Source): string {
  const found = /^([^\n]*)\n/.exec(source.left) ?? stop("more");
  source.left = source.left.slice(found[0].length);
  return /^(.*)\r$/s.exec(found[1] ?? "")?.[1] ?? stop("refused");
}

function stop(why: "more" | "refused"): never {
  throw new Stop(why);
}

const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const REQUEST_LINE = new RegExp(`^(${TCHAR}{1,64}) ([^\\x00-\\x20\\x7f]+) HTTP/1\\.([01])$`);
const FIELD_LINE = new RegExp(`^(${TCHAR}+):([\\t\\x20-\\x7e\\x80-\\xff]*)$`);
const CHUNK_LINE = /^([0-9a-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/i;
const CHUNK_LINE_MAX = 256;

function oneRequest(source: Source): ModelRequest {
  let empty = 0;
  for (; source.left.startsWith("\r\n"); empty++) source.left = source.left.slice(2);
  if (empty > 4) stop("refused");
  if (!source.left.includes("\n") && !new RegExp(`^(?:${TCHAR}|\r?$)`).test(source.left))
    stop("refused");
  const [, method = "", target = "", minor = ""] =
    REQUEST_LINE.exec(line(source)) ?? stop("refused");
  const hasForm =
    target.startsWith("/") ||
    method === "CONNECT" ||
    (target === "*" ? method === "OPTIONS" : /^[a-z][a-z0-9+.-]*:\/\//i.test(target));
  if (!hasForm) stop("refused");
  const headers = fields(source, /^(?:host|content-length)$/i);
  const meaning = meaningOf(headers, minor === "1");
  const body = meaning.framing === "chunked" ? chunks(source) : plain(source, meaning.framing);
  return { method, target, version: `1.${minor}`, headers, ...meaning, ...body };
}

/** @param once names that may stand there once */
function fields(source: Source, once: RegExp, never?: RegExp): Lines {
  const found: [string, string][] = [];
  for (;;) {
    const text = line(source);
    if (text === "") return found;
    const [, name = "", value = ""] = FIELD_LINE.exec(text) ?? stop("refused");
    if (never?.test(name) === true) stop("refused");
    const key = name.toLowerCase();
    if (once.test(name) && found.some((each) => each[0].toLowerCase() === key)) stop("refused");
    found.push([name, value.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "")]);
  }
}

function meaningOf(headers: Lines, isModern: boolean) {
  const values = (key: string): string[] =>
    headers.filter(([name]) => name.toLowerCase() === key).map(([, value]) => value);
  const members = (key: string): string[] =>
    values(key).flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/));
  const [lengths, codings] = [values("content-length"), values("transfer-encoding")];
  const isChunked = codings.length > 0;
  if (
    (isModern && values("host").length === 0) ||
    (isChunked && (!isModern || lengths.length > 0 || codings.length > 1)) ||
    (isChunked && codings[0]?.toLowerCase() !== "chunked") ||
    lengths.some((value) => !/^(0|[1-9]\d*)$/.test(value) || Number(value) > 2 ** 53 - 1) ||
    (isModern && values("expect").some((value) => value.toLowerCase() !== "100-continue"))
  ) {
    stop("refused");
  }
  const framing = isChunked ? ("chunked" as const) : Number(lengths[0] ?? 0);
  const listed = members("connection");
  const [protocol = "", ...others] = values("upgrade");
  const isProtocol = new RegExp(`^${TCHAR}+(?:/${TCHAR}+)?$`).test(protocol) && others.length === 0;
  const canUpgrade = isModern && framing === 0 && listed.includes("upgrade");
  return {
    framing,
    keepAlive: !listed.includes("close") && (isModern || listed.includes("keep-alive")),
    expectsContinue: isModern && framing !== 0 && values("expect").length > 0,
    takesTrailers: isModern && members("te").includes("trailers"),
    upgrade: canUpgrade && isProtocol ? protocol.toLowerCase() : undefined,
  };
}

function plain(source: Source, length: number): Pick<ModelRequest, "body" | "trailers"> {
  if (source.left.length < length) stop("more");
  const body = source.left.slice(0, length);
  source.left = source.left.slice(length);
  return { body, trailers: [] };
}

const HEAD_ONLY = /^(?:host|content-length|transfer-encoding|connection|expect|te|upgrade)$/i;

function chunks(source: Source): Pick<ModelRequest, "body" | "trailers"> {
  let body = "";
  for (;;) {
    if (!source.left.includes("\n") && source.left.length > CHUNK_LINE_MAX + 1) stop("refused");
    const text = line(source);
    if (text.length > CHUNK_LINE_MAX) stop("refused");
    const size = Number.parseInt(CHUNK_LINE.exec(text)?.[1] ?? stop("refused"), 16);
    if (size > 2 ** 53 - 1) stop("refused");
    if (size === 0) return { body, trailers: fields(source, /^$/, HEAD_ONLY) };
    body += plain(source, size).body;
    // One byte more may be a CR, whatever it is; two have to be the line's end.
    if (/^(?:[^\n]|\r)?$/.test(source.left)) stop("more");
    if (!source.left.startsWith("\r\n")) stop("refused");
    source.left = source.left.slice(2);
  }
}
