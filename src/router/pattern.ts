import { LIMITS } from "../base/limits.ts";
import { messageOf } from "../base/errors.ts";
import { normalisePath } from "../http/target.ts";

/**
 * A route's `uri`, taken apart.
 *
 *   /users/list        exact       this path and no other
 *   /users/:id/posts   parameters  each ":name" stands for one segment that is not empty
 *   /users/:id/*       prefix      everything below, "/users/7/" itself included, "/users/7" not
 *   ~^/v[0-9]+/        regex       JavaScript's, anchored only where it says so; no look-up can
 *                                  skip it unless it starts with "^/literal/", so let it
 *
 * Paths come in one spelling (http/target.ts), so a uri in any other could never match: it is
 * refused. A regular expression is the operator's: one that backtracks for ever blocks the worker.
 */
export interface PathPattern {
  readonly ok: true;
  readonly kind: "exact" | "parameters" | "prefix" | "regex";
  /** As written. */
  readonly uri: string;
  /** Of a prefix without its "*"; of a regex the literal ones that every match starts with. */
  readonly segments: readonly Segment[];
  /**
   * For kind "regex": what has to match behind the segments, at lastIndex (one that is behind no
   * segment ignores lastIndex). It may be shared, so set lastIndex before each use.
   */
  readonly regex: RegExp | undefined;
}

export interface Segment {
  readonly isParameter: boolean;
  /** Literal text (possibly ""), or the parameter's name. */
  readonly text: string;
}

export interface PatternProblem {
  readonly ok: false;
  readonly code: "BAD_URI" | "BAD_REGEX" | "BAD_HOST";
  /** What was found and what would be right; no period at the end. */
  readonly message: string;
  /** What was probably meant. */
  readonly hint: string | undefined;
}

/**
 * @param regexes those of other patterns, by source: of many routes "^/NAME/[0-9]+$" there is one
 *   expression behind the name, which stays in the processor's caches
 */
export function parsePath(
  uri: string,
  regexes: Map<string, RegExp> = new Map(),
): PathPattern | PatternProblem {
  if (uri.startsWith("~")) return parseRegex(uri, regexes);
  if (!uri.startsWith("/")) {
    return badUri(`uri "${uri}" starts with neither "/" nor "~"`, `/${uri}`);
  }
  return normalProblem(uri) ?? parseSegments(uri);
}

/**
 * Orders patterns that match the same path: negative when `a` is the more specific one, zero when
 * only the order of the file can tell.
 */
export function comparePaths(a: PathPattern, b: PathPattern): number {
  const byKind = kindRank(a) - kindRank(b);
  if (byKind !== 0 || a.kind === "exact" || a.kind === "regex") return byKind;
  if (a.segments.length !== b.segments.length) return b.segments.length - a.segments.length;
  for (const [at, segment] of a.segments.entries()) {
    const byLiteral = Number(segment.isParameter) - Number(b.segments[at]?.isParameter);
    if (byLiteral !== 0) return byLiteral;
  }
  return 0;
}

const KIND_RANK = { exact: 0, parameters: 1, prefix: 2, regex: 3 } as const;
const CATCH_ALL_RANK = 4;

function kindRank(pattern: PathPattern): number {
  const isCatchAll = pattern.kind === "prefix" && pattern.segments.length === 0;
  return isCatchAll ? CATCH_ALL_RANK : KIND_RANK[pattern.kind];
}

/** Why a path can never be spelled so. */
function normalProblem(uri: string): PatternProblem | undefined {
  if (uri.includes("?")) {
    const hint = uri.slice(0, uri.indexOf("?"));
    return badUri(`uri "${uri}" has a query, and routes match paths only`, hint);
  }
  const normal = normalisePath(uri);
  if (normal === uri) return undefined;
  if (typeof normal === "string") {
    return badUri(
      `uri "${uri}" never matches: paths are brought into the form "${normal}"`,
      normal,
    );
  }
  const encoded = normalisePath(uri.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent));
  const hint = typeof encoded === "string" ? encoded : undefined;
  return badUri(`uri "${uri}" never matches: ${normal.problem}`, hint);
}

function parseSegments(uri: string): PathPattern | PatternProblem {
  const isPrefix = uri.endsWith("/*");
  const segments = isPrefix ? uri.slice(1, -2).split("/") : uri.slice(1).split("/");
  if (uri === "/*") segments.length = 0;
  if (segments.length > LIMITS.routeSegmentsMax) {
    const { routeSegmentsMax } = LIMITS;
    return badUri(`uri "${uri}" has ${segments.length} segments, the limit is ${routeSegmentsMax}`);
  }
  const names = new Set<string>();
  for (const segment of segments) {
    const problem = segmentProblem(uri, segment, names);
    if (problem !== undefined) return problem;
  }
  const kind = isPrefix ? "prefix" : names.size > 0 ? "parameters" : "exact";
  return { ok: true, kind, uri, segments: segments.map(toSegment), regex: undefined };
}

/** @param names parameters so far; gets this segment's */
function segmentProblem(
  uri: string,
  segment: string,
  names: Set<string>,
): PatternProblem | undefined {
  if (segment.includes("*")) {
    const hint = uri.endsWith("*") ? `${uri.replace(/[/*]+$/, "")}/*` : undefined;
    return badUri(`uri "${uri}" has a "*" that is not "/*" at its end`, hint);
  }
  if (!segment.startsWith(":")) return undefined;
  const name = segment.slice(1);
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    return badUri(`uri "${uri}" has a parameter ":${name}" that is not ":" and a name`);
  }
  if (names.has(name)) return badUri(`uri "${uri}" has two parameters ":${name}"`);
  names.add(name);
  return undefined;
}

function toSegment(text: string): Segment {
  const isParameter = text.startsWith(":");
  return { isParameter, text: isParameter ? text.slice(1) : text };
}

function parseRegex(uri: string, regexes: Map<string, RegExp>): PathPattern | PatternProblem {
  const source = uri.slice(1);
  if (source.trim() !== source || source === "") {
    return badRegex(`"${uri}" is no regular expression right behind "~"`, `~${source.trim()}`);
  }
  const { segments, rest } = literalStart(source);
  try {
    const flags = segments.length > 0 ? "y" : "";
    const key = `${flags}/${rest}`;
    const regex = regexes.get(key) ?? new RegExp(rest, flags);
    regexes.set(key, regex);
    return { ok: true, kind: "regex", uri, segments, regex };
  } catch (error) {
    return badRegex(`"${uri}" does not compile: ${messageOf(error)}`, undefined);
  }
}

/**
 * The whole segments that every path must start with to match, and what must follow them: of
 * "^/api/v[0-9]" these are "api" and "v[0-9]". No segment unless it is certain; then look-ups try
 * the expression for every path.
 */
function literalStart(source: string): { segments: Segment[]; rest: string } {
  const none = { segments: [], rest: source };
  // An alternative may be about another start, wherever in the expression it stands.
  if (source.includes("|")) return none;
  let [literal = ""] = /^\^(?:[\w/~%&=:@,;!'-]|\\[/.~-])*/.exec(source) ?? [];
  // A quantifier is about the last character, which so may be missing.
  if (/^[*+?{]/.test(source.slice(literal.length))) literal = literal.replace(/\\?.$/, "");
  const whole = literal.slice(0, literal.lastIndexOf("/") + 1);
  const [caret, ...texts] = whole.replaceAll("\\", "").split("/").slice(0, -1);
  if (caret !== "^" || texts.length === 0 || texts.length > LIMITS.routeSegmentsMax) return none;
  const segments = texts.map((text) => ({ isParameter: false, text }));
  return { segments, rest: source.slice(whole.length) };
}

function badUri(message: string, hint?: string): PatternProblem {
  return { ok: false, code: "BAD_URI", message, hint };
}

function badRegex(message: string, hint: string | undefined): PatternProblem {
  return { ok: false, code: "BAD_REGEX", message, hint };
}
