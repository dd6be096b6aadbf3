import type { PathPattern } from "./pattern.ts";

/** What a tree needs to know of what it holds; smaller ranks win. */
export interface Candidate {
  readonly rank: number;
  /** undefined: every method. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly path: PathPattern;
}

/**
 * The paths of one host pattern.
 *
 *   exact    whole path ──▶ leaf                           one hash look-up
 *   root ─"users"─▶ node ─:parameter─▶ node ─"posts"─▶ …   one hash look-up per segment
 *                    ├ leaf of "/users/*"                   prefixes, on the way
 *                    └ regexes that start with "^/users/"   tried on the way, best rank first
 *
 * Every node knows the smallest rank below it: what cannot beat the best match so far is not
 * entered. Look-ups cost segments, not routes, unless literals and parameters stand at the same
 * places of many uris: then both ways are tried.
 */
export class PathTree<C extends Candidate> {
  readonly #exact = new Map<string, Leaf<C>>();
  #root: Node<C> | undefined;
  #rankMin = Number.POSITIVE_INFINITY;

  /** In ascending rank. */
  add(candidate: C): void {
    const { path, rank } = candidate;
    this.#rankMin = Math.min(this.#rankMin, rank);
    if (path.kind === "exact") {
      let leaf = this.#exact.get(path.uri);
      if (leaf === undefined) this.#exact.set(path.uri, (leaf = new Leaf()));
      leaf.add(candidate);
      return;
    }
    let node = (this.#root ??= new Node(rank));
    for (const { isParameter, text } of path.segments) {
      node = isParameter ? node.parameterChild(rank) : node.literalChild(text, rank);
    }
    if (path.kind === "regex") node.regexes.push(candidate);
    else if (path.kind === "prefix") (node.below ??= new Leaf()).add(candidate);
    else (node.here ??= new Leaf()).add(candidate);
  }

  /** @returns what beats `best`, else `best` */
  find(method: string, path: string, best: C | undefined): C | undefined {
    if (!beats(this.#rankMin, best)) return best;
    const exact = this.#exact.get(path)?.find(method, best) ?? best;
    return this.#root === undefined ? exact : search(this.#root, { method, path }, 1, exact);
  }
}

interface Wanted {
  readonly method: string;
  readonly path: string;
}

/**
 * Deepest first, so that the most specific match prunes the others.
 * @param at where the next segment starts: one past the end of the path when there is none
 */
function search<C extends Candidate>(
  node: Node<C>,
  wanted: Wanted,
  at: number,
  bestSoFar: C | undefined,
): C | undefined {
  if (!beats(node.rankMin, bestSoFar)) return bestSoFar;
  const { method, path } = wanted;
  let best = bestSoFar;
  if (at > path.length) {
    best = node.here?.find(method, best) ?? best;
  } else {
    const slash = path.indexOf("/", at);
    const end = slash < 0 ? path.length : slash;
    const literal = node.literals?.get(path.slice(at, end));
    if (literal !== undefined) best = search(literal, wanted, end + 1, best);
    if (node.parameter !== undefined && end > at)
      best = search(node.parameter, wanted, end + 1, best);
    best = node.below?.find(method, best) ?? best;
  }
  for (const candidate of node.regexes) {
    if (!beats(candidate.rank, best)) break;
    if (takes(candidate, method) && candidate.path.regex?.test(path) === true) return candidate;
  }
  return best;
}

class Node<C extends Candidate> {
  /** Of this node and everything below; the first to arrive, since ranks ascend. */
  readonly rankMin: number;
  literals: Map<string, Node<C>> | undefined;
  parameter: Node<C> | undefined;
  /** Patterns with parameters that end here. */
  here: Leaf<C> | undefined;
  /** Prefixes: what follows is free. */
  below: Leaf<C> | undefined;
  readonly regexes: C[] = [];

  constructor(rankMin: number) {
    this.rankMin = rankMin;
  }

  literalChild(text: string, rank: number): Node<C> {
    this.literals ??= new Map();
    let child = this.literals.get(text);
    if (child === undefined) this.literals.set(text, (child = new Node(rank)));
    return child;
  }

  parameterChild(rank: number): Node<C> {
    return (this.parameter ??= new Node(rank));
  }
}

/** Candidates with the same path at the same hosts: only the first for each method can win. */
class Leaf<C extends Candidate> {
  #everyMethod: C | undefined;
  #byMethod: Map<string, C> | undefined;

  /** In ascending rank. */
  add(candidate: C): void {
    if (candidate.methods === undefined) {
      this.#everyMethod ??= candidate;
      return;
    }
    this.#byMethod ??= new Map();
    for (const method of candidate.methods) {
      if (!this.#byMethod.has(method)) this.#byMethod.set(method, candidate);
    }
  }

  /** @returns what beats `best`, else `best` */
  find(method: string, best: C | undefined): C | undefined {
    const every = this.#everyMethod;
    const better = every !== undefined && beats(every.rank, best) ? every : best;
    const exact = this.#byMethod?.get(method);
    return exact !== undefined && beats(exact.rank, better) ? exact : better;
  }
}

function beats(rank: number, best: Candidate | undefined): boolean {
  return best === undefined || rank < best.rank;
}

function takes(candidate: Candidate, method: string): boolean {
  return candidate.methods === undefined || candidate.methods.has(method);
}
