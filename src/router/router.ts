import { LIMITS } from "../base/limits.ts";
import { type HostPattern, parseHost } from "./host-pattern.ts";
import { type Candidate, PathTree, type Rests } from "./path-tree.ts";
import { comparePaths, parsePath, type PathPattern, type PatternProblem } from "./pattern.ts";

/** Which requests a route takes; syntax as in config/config.ts, RouteConfig. */
export interface RouteRule<T> {
  readonly id: string;
  readonly uris: readonly string[];
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  readonly priority: number;
  readonly value: T;
}

export interface Match<T> {
  readonly rule: RouteRule<T>;
  /** Segments of the path as they are spelled there (escapes kept), in the pattern's order. */
  readonly params: readonly Param[];
}

export type Param = readonly [name: string, value: string];

/**
 * Finds the one rule for a request. A rule matches by any of its uris together with any of its
 * hosts (none: every host) and its methods (none: every method; GET does not stand for HEAD).
 * Of several that match, the first of these differences decides:
 *
 *   1. priority   the higher number, whatever the rest says
 *   2. host       exact, then the longer wildcard, then none
 *   3. path       exact; parameters; prefix with more segments; regex; the catch-all "/*"; between
 *                 two with parameters and as many segments: the one that has a literal segment
 *                 where, seen from the left, they first differ
 *   4. order      the earlier rule of the list, the earlier uri of the rule
 *
 * A rule whose methods do not fit is as if it were not there: the next best one is taken, and
 * without one the request has no route (404, as in APISIX).
 */
export interface Router<T> {
  /**
   * @param host lower-case, without port (Authority.host)
   * @param path without query, in its one spelling (Target.path)
   */
  match(method: string, host: string, path: string): Match<T> | undefined;
}

/** A pattern of a rule that cannot be used. */
export interface RuleProblem extends PatternProblem {
  readonly ruleId: string;
  /** The uri or the host, as written. */
  readonly pattern: string;
}

export class RulesRefused extends Error {
  override readonly name = "RulesRefused";
  readonly problems: readonly RuleProblem[];

  constructor(problems: readonly RuleProblem[]) {
    super(problems.map((problem) => `Route "${problem.ruleId}": ${problem.message}`).join("; "));
    this.problems = problems;
  }
}

/** Every uri and host of the rules that cannot be used, in order. */
export function checkRules(rules: readonly RouteRule<unknown>[]): RuleProblem[] {
  return parseRules(rules).problems;
}

/** @throws RulesRefused with every problem that checkRules() finds */
export function buildRouter<T>(rules: readonly RouteRule<T>[]): Router<T> {
  const { entries, problems } = parseRules(rules);
  if (problems.length > 0) throw new RulesRefused(problems);
  const router = new HostRouter<T>();
  const rests: Rests = new Map();
  // The sort is stable: what compares equal stays in the order of the list.
  for (const [rank, entry] of entries.toSorted(compareEntries).entries()) {
    router.add(ranked(entry, rank), rests);
  }
  return router;
}

/**
 * One uri of a rule at one of its hosts. All entries of a router are sorted by the order above
 * once, when it is built; their place is their rank. So a look-up only has to find the entry with
 * the smallest rank, and can skip whatever holds none smaller than the best so far.
 */
interface Entry<T> extends Candidate {
  readonly host: HostPattern | undefined;
  readonly rule: RouteRule<T>;
  /** The answer, made once; undefined when the path has parameters. */
  readonly match: Match<T> | undefined;
}

/** What a look-up reads stands together, since it is cold memory with thousands of routes. */
function ranked<T>({ host, rule, path, methods, match }: Unranked<T>, rank: number): Entry<T> {
  const { kind, regex } = path;
  return {
    isNode: false,
    rank,
    methods,
    rest: undefined,
    kind,
    regex,
    next: undefined,
    match,
    rule,
    path,
    host,
  };
}

type Unranked<T> = Omit<Entry<T>, "isNode" | "rank" | "kind" | "regex" | "rest" | "next">;

function parseRules<T>(rules: readonly RouteRule<T>[]): {
  entries: Unranked<T>[];
  problems: RuleProblem[];
} {
  const entries: Unranked<T>[] = [];
  const problems: RuleProblem[] = [];
  const methodSets = new MethodSets();
  const regexes = new Map<string, RegExp>();
  for (const rule of rules) {
    const hosts = usable(rule, rule.hosts, parseHost, problems);
    const paths = usable(rule, rule.uris, (uri) => parsePath(uri, regexes), problems);
    if (entries.length + Math.max(1, hosts.length) * paths.length > LIMITS.routeEntriesMax) {
      problems.push(tooMany(rule));
      break;
    }
    const methods = methodSets.of(rule.methods);
    const plain: Match<T> = { rule, params: [] };
    for (const host of rule.hosts.length > 0 ? hosts : [undefined]) {
      for (const path of paths) {
        const hasParameters = path.segments.some((segment) => segment.isParameter);
        entries.push({ rule, host, path, methods, match: hasParameters ? undefined : plain });
      }
    }
  }
  return { entries, problems };
}

/** One set for all rules with the same methods: few sets stay in the processor's caches. */
class MethodSets {
  readonly #sets = new Map<string, ReadonlySet<string>>();

  of(methods: readonly string[]): ReadonlySet<string> | undefined {
    if (methods.length === 0) return undefined;
    const key = methods.toSorted().join(" ");
    let set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, (set = new Set(methods)));
    return set;
  }
}

/** The patterns that can be used; the others go to `problems`. */
function usable<P extends { readonly ok: true }>(
  rule: RouteRule<unknown>,
  patterns: readonly string[],
  parse: (pattern: string) => P | PatternProblem,
  problems: RuleProblem[],
): P[] {
  return patterns.flatMap((pattern) => {
    const parsed = parse(pattern);
    if (parsed.ok) return [parsed];
    problems.push({ ...parsed, ruleId: rule.id, pattern });
    return [];
  });
}

function compareEntries(a: Unranked<unknown>, b: Unranked<unknown>): number {
  return (
    b.rule.priority - a.rule.priority ||
    hostWeight(b.host) - hostWeight(a.host) ||
    comparePaths(a.path, b.path)
  );
}

/** Above the length of any wildcard. */
const EXACT_HOST_WEIGHT = 1000;

function hostWeight(host: HostPattern | undefined): number {
  if (host === undefined) return 0;
  return host.isWildcard ? host.key.length : EXACT_HOST_WEIGHT;
}

/** One tree of paths per host pattern; a request looks into those that its host matches. */
class HostRouter<T> implements Router<T> {
  readonly #exact = new Map<string, PathTree<Entry<T>>>();
  /** By what the host must end with, the leading dot included. */
  readonly #wildcards = new Map<string, PathTree<Entry<T>>>();
  /** By number of labels behind the "*": whether there is such a wildcard. */
  readonly #wildcardDepths: boolean[] = [];
  readonly #everyHost = new PathTree<Entry<T>>();

  /** In ascending rank. */
  add(entry: Entry<T>, rests: Rests): void {
    this.#treeOf(entry.host).add(entry, rests);
  }

  match(method: string, host: string, path: string): Match<T> | undefined {
    let best = this.#exact.get(host)?.find(method, path, undefined);
    if (this.#wildcards.size > 0) best = this.#findByWildcard(method, host, path, best);
    best = this.#everyHost.find(method, path, best);
    if (best === undefined) return undefined;
    return best.match ?? new MatchWithParams(best.rule, best.path, path);
  }

  #findByWildcard(
    method: string,
    host: string,
    path: string,
    bestSoFar: Entry<T> | undefined,
  ): Entry<T> | undefined {
    let best = bestSoFar;
    let dot = host.length;
    for (let depth = 1; depth < this.#wildcardDepths.length; depth++) {
      dot = host.lastIndexOf(".", dot - 1);
      // A label in front of the dot is required: "*.a" matches neither "a" nor ".a".
      if (dot <= 0) break;
      if (this.#wildcardDepths[depth] !== true) continue;
      best = this.#wildcards.get(host.slice(dot))?.find(method, path, best) ?? best;
    }
    return best;
  }

  #treeOf(host: HostPattern | undefined): PathTree<Entry<T>> {
    if (host === undefined) return this.#everyHost;
    const trees = host.isWildcard ? this.#wildcards : this.#exact;
    let tree = trees.get(host.key);
    if (tree === undefined) trees.set(host.key, (tree = new PathTree()));
    if (host.isWildcard) {
      const depth = host.key.split(".").length - 1;
      while (this.#wildcardDepths.length <= depth) this.#wildcardDepths.push(false);
      this.#wildcardDepths[depth] = true;
    }
    return tree;
  }
}

/** Cuts the parameters out of the path when they are asked for, which is rare. */
class MatchWithParams<T> implements Match<T> {
  readonly rule: RouteRule<T>;
  readonly #pattern: PathPattern;
  readonly #path: string;

  /** @param path one that the pattern matches */
  constructor(rule: RouteRule<T>, pattern: PathPattern, path: string) {
    this.rule = rule;
    this.#pattern = pattern;
    this.#path = path;
  }

  get params(): Param[] {
    const values = this.#path.split("/").slice(1);
    return this.#pattern.segments.flatMap(({ isParameter, text }, at): Param[] =>
      isParameter ? [[text, values[at] ?? ""]] : [],
    );
  }
}

function tooMany(rule: RouteRule<unknown>): RuleProblem {
  const { routeEntriesMax } = LIMITS;
  return {
    ok: false,
    code: "BAD_URI",
    message: `there are more than ${routeEntriesMax} pairs of a uri and a host up to this route`,
    hint: "name fewer hosts per route, or use a wildcard",
    ruleId: rule.id,
    pattern: rule.uris[0] ?? "",
  };
}
