import { LIMITS } from "../base/limits.ts";
import { RecentTexts } from "./recent-texts.ts";
import { quoted, refuse, type Refusal } from "./refusal.ts";

/**
 * Brings a request target into the one form that is both matched and forwarded.
 *
 *   "http://a.b/x//%61/../b%2fc?q=1"
 *    └authority─┘└──────path──────┘└query
 *   path "/x/b%2Fc"   query "q=1"   target "/x/b%2Fc?q=1"
 *
 * Why one form: when a route is chosen by one spelling and the upstream is shown another, every
 * rule of the gateway can be dodged by a spelling that only the upstream understands. So whatever
 * two parties could read differently is either brought to one spelling here or refused.
 *
 * | found in the path                 | what happens, and why                                     |
 * |-----------------------------------|-----------------------------------------------------------|
 * | `.` and `..` segments, `%2e` too  | resolved (RFC 3986 5.2.4), never above the root: some     |
 * |                                   | fronts have done it already, so all must                  |
 * | `//`                              | one `/`, as nginx does: most upstreams merge them, so a   |
 * |                                   | kept `//admin` would reach /admin past its route          |
 * | `%41` (letters, digits, `-._~`)   | decoded (RFC 3986 6.2.2.2); all other escapes stay        |
 * | `%2f`                             | `%2F`: hex digits in upper case; never a separator        |
 * | `"<>[]^{|}` and the grave accent  | percent-encoded: not allowed raw, but in use              |
 * | `..` beside `%2F`, `%5C` or `;`   | refused: an upstream that decodes first would climb       |
 * | `\`, `#`, blanks, non-ASCII, …    | refused, as are controls and `%` without two hex digits   |
 * | `%00`, `%EF%BF%BD`                | refused: the first ends C strings, the second (U+FFFD) is |
 * |                                   | what a front makes of bytes that it could not read        |
 *
 * The query chooses no route and stays as it is, `100%` and `//` included; it is refused for `#`,
 * blanks, controls and non-ASCII only.
 */
export interface Target {
  readonly ok: true;
  /** Starts with "/"; otherwise only "/", RFC 3986 pchars and upper-case escapes. Without query. */
  readonly path: string;
  /** Behind the first "?"; undefined without one, "" behind a lone one. */
  readonly query: string | undefined;
  /** Path and query, to be sent as it is. */
  readonly target: string;
  /** Of an absolute-form target: as written and unchecked, parseAuthority() tells. */
  readonly authority: string | undefined;
}

/**
 * Takes origin-form ("/a?b") and absolute-form ("http://host/a?b"), raw or as a front has already
 * normalised it. `parseTarget(t.target)` gives `t.path`, `t.query` and `t.target` again.
 * @param bytesMax of path and query, before and after; more is REQUEST_URI_TOO_LONG
 */
export function parseTarget(
  raw: string,
  bytesMax: number = LIMITS.requestTargetBytesMax,
): Target | Refusal {
  const known = RECENT.get(raw);
  // Both forms were within the limit of those who asked first, which may have been another.
  if (known !== undefined && raw.length <= bytesMax && known.target.length <= bytesMax) {
    return known;
  }
  const parsed = readTarget(raw, bytesMax);
  if (parsed.ok) {
    const slot = RECENT.claim(raw, 0, raw.length);
    if (slot >= 0) RECENT.put(slot, parsed);
  }
  return parsed;
}

const RECENT = new RecentTexts<Target>();

function readTarget(raw: string, bytesMax: number): Target | Refusal {
  const start = raw.startsWith("/") ? 0 : afterAuthority(raw);
  if (start < 0) {
    return malformed(`${quoted(raw)} is neither a path nor an http or https URL`);
  }
  if (raw.length - start > bytesMax) return tooLong(raw.length - start, bytesMax);
  const authority = start === 0 ? undefined : raw.slice(raw.indexOf("//") + 2, start);
  const mark = raw.indexOf("?", start);
  const rawPath = raw.slice(start, mark < 0 ? raw.length : mark) || "/";
  const query = mark < 0 ? undefined : raw.slice(mark + 1);
  if (query !== undefined && QUERY_FORBIDDEN.test(query)) return forbidden(query, QUERY_FORBIDDEN);
  const path = normalisePath(rawPath);
  if (typeof path !== "string") return path;
  const target = query === undefined ? path : `${path}?${query}`;
  if (target.length > bytesMax) return tooLong(target.length, bytesMax);
  return { ok: true, path, query, target, authority };
}

/**
 * The one spelling of a path; the table above says how.
 * @param path starts with "/", no query
 */
export function normalisePath(path: string): string | Refusal {
  if (PLAIN.test(path)) return path; // Nearly all: nothing to decode, to merge or to resolve.
  if (PATH_FORBIDDEN.test(path)) return forbidden(path, PATH_FORBIDDEN);
  const wrong = /%(?![0-9A-Fa-f]{2})/.exec(path);
  if (wrong !== null) {
    return malformed(`${quoted(path.slice(wrong.index, wrong.index + 3))} is no percent-escape`);
  }
  const normal = resolveSegments(path.replace(ESCAPE_OR_RAW, oneSpelling));
  const refused = REFUSED_LEFTOVER.exec(normal);
  if (refused !== null) {
    return malformed(`${quoted(refused[0])} in a path is read differently by different servers`);
  }
  return normal;
}

/** Segments of pchars without escapes; none empty but the last, none starting with a dot. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)*\/?$/;
const PATH_FORBIDDEN = /[^\x21-\x7e]|[#\\]/;
const QUERY_FORBIDDEN = /[^\x21-\x7e]|#/;
/** Every escape, and what RFC 3986 does not allow raw in a path. */
const ESCAPE_OR_RAW = /%..|["<>[\]^`{|}]/g;
/** What would be a dot segment to a server that decodes, or cuts at ";", before it resolves. */
const REFUSED_LEFTOVER = /(?<=\/|%2F|%5C)\.\.?(?:%2F|%5C|;|(?=\/|$))|%00|%EF%BF%BD/;

function oneSpelling(found: string): string {
  if (!found.startsWith("%")) {
    return `%${found.charCodeAt(0).toString(16).toUpperCase()}`;
  }
  const decoded = String.fromCharCode(Number.parseInt(found.slice(1), 16));
  return /[\w.~-]/.test(decoded) ? decoded : found.toUpperCase();
}

/** Merges slashes and resolves dot segments; "/a/." and "/a/b/.." end with a slash. */
function resolveSegments(path: string): string {
  const kept: string[] = [];
  let isFolder = false;
  for (const segment of path.split("/")) {
    isFolder = segment === "" || segment === "." || segment === "..";
    if (segment === "..") kept.pop();
    else if (!isFolder) kept.push(segment);
  }
  return `/${kept.join("/")}${isFolder && kept.length > 0 ? "/" : ""}`;
}

/** Where the path of an absolute URL starts; -1 when it is none. */
function afterAuthority(raw: string): number {
  const length = SCHEME.exec(raw)?.[0].length;
  if (length === undefined) return -1;
  const end = raw.slice(length).search(/[/?#\\]/);
  return end < 0 ? raw.length : length + end;
}

const SCHEME = /^https?:\/\//i;

function forbidden(text: string, pattern: RegExp): Refusal {
  const at = text.search(pattern);
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  return malformed(`character U+${code} at offset ${at} of ${quoted(text)} is not allowed`);
}

function malformed(problem: string): Refusal {
  return refuse("REQUEST_MALFORMED", problem);
}

function tooLong(bytes: number, bytesMax: number): Refusal {
  return refuse(
    "REQUEST_URI_TOO_LONG",
    `${bytes} bytes of path and query, the limit is ${bytesMax}`,
  );
}
