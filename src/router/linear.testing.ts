import type { Match, Param, Router, RouteRule } from "./router.ts";

/**
 * The router that tests compare the real one with: asks every rule about every request and keeps
 * the best answer. Written from the docstring of Router alone; it shares no code with the tree and
 * expects rules that checkRules() accepts.
 */
export function buildLinearRouter<T>(rules: readonly RouteRule<T>[]): Router<T> {
  return {
    match(method, host, path) {
      let best: Scored<T> | undefined;
      for (const found of matches(rules, method, host, path)) {
        if (best === undefined || isBetter(found.score, best.score)) best = found;
      }
      return best?.match;
    },
  };
}

/** Compared from left to right, larger is better. */
type Score = readonly number[];

interface Scored<T> {
  readonly score: Score;
  readonly match: Match<T>;
}

function* matches<T>(
  rules: readonly RouteRule<T>[],
  method: string,
  host: string,
  path: string,
): Generator<Scored<T>> {
  for (const rule of rules) {
    if (rule.methods.length > 0 && !rule.methods.includes(method)) continue;
    for (const pattern of rule.hosts.length > 0 ? rule.hosts : [""]) {
      const hostScore = scoreHost(pattern, host);
      if (hostScore === undefined) continue;
      for (const uri of rule.uris) {
        const found = scorePath(uri, path);
        if (found === undefined) continue;
        const { pathScore, params } = found;
        yield { score: [rule.priority, hostScore, ...pathScore], match: { rule, params } };
      }
    }
  }
}

/** The earlier one stays when both are as good. */
function isBetter(score: Score, than: Score): boolean {
  for (let at = 0; at < Math.max(score.length, than.length); at++) {
    const difference = (score[at] ?? 0) - (than[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function scoreHost(pattern: string, host: string): number | undefined {
  if (pattern === "") return 0;
  if (pattern === host) return 1000; // Longer than any wildcard.
  const end = pattern.slice(1);
  const isBelow = pattern.startsWith("*.") && host.endsWith(end) && host.length > end.length;
  return isBelow ? pattern.length : undefined;
}

function scorePath(
  uri: string,
  path: string,
): { pathScore: Score; params: readonly Param[] } | undefined {
  if (uri.startsWith("~")) {
    return new RegExp(uri.slice(1)).test(path) ? { pathScore: [1], params: [] } : undefined;
  }
  if (uri === "/*") return { pathScore: [0], params: [] };
  const isPrefix = uri.endsWith("/*");
  const wanted = (isPrefix ? uri.slice(0, -2) : uri).split("/");
  const given = path.split("/");
  if (isPrefix ? given.length <= wanted.length : given.length !== wanted.length) return undefined;
  const params: Param[] = [];
  const literals: number[] = [];
  for (const [at, segment] of wanted.entries()) {
    const text = given[at] ?? "";
    const isParameter = segment.startsWith(":");
    if (isParameter ? text === "" : text !== segment) return undefined;
    if (isParameter) params.push([segment.slice(1), text]);
    literals.push(isParameter ? 0 : 1);
  }
  const kind = isPrefix ? 2 : params.length > 0 ? 3 : 4;
  return { pathScore: [kind, wanted.length, ...literals], params };
}
