import type { PathPattern } from "./pattern.ts";

/** What a tree holds; smaller ranks win. A candidate is in one tree. */
export interface Candidate {
  /** Tells it from a node of the tree. */
  readonly isNode: false;
  readonly rank: number;
  /** undefined: every method. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly path: PathPattern;
  /** Of the path, at hand. */
  readonly kind: PathPattern["kind"];
  /** Of the path, at hand. */
  readonly regex: RegExp | undefined;
  /** What of the path is behind the place where it stands; undefined: nothing. The tree sets it. */
  rest: Rest | undefined;
  /** The next one of a larger rank at the same place of the tree; the tree sets it. */
  next: this | undefined;
}

/** The rest of a pattern: a parameter or a run of literal segments, and what is behind that. */
export interface Rest {
  /** Literal segments without outer slashes; undefined: one parameter. */
  readonly run: string | undefined;
  /** undefined: the pattern ends. */
  readonly behind: Rest | undefined;
}

/** By text. Equal rests of all trees are one object, which stays in the processor's caches. */
export type Rests = Map<string, Rest>;

/**
 * The paths of one host pattern. An exact path is one hash look-up. The others are cut at their
 * parameters into runs of literal segments; a run is one edge of the tree, looked up as a whole.
 * There is a node only where patterns part: a candidate that is alone behind an edge stands right
 * there, with the rest of its path.
 *
 *   "/shop/v1/:id/cart/:item"    root ─"shop/v1"─▶ candidate, rest ":/cart/:"
 *   "/shop/v2/:id"               root ─"shop/v2"─▶ node ─:─▶ candidate, no rest
 *   "/shop/v2/*"                                   node (below)
 *   "~^/shop/v3/[0-9]+"          root ─"shop/v3"─▶ candidate, tried as an expression
 *
 * A look-up costs one hash per number of segments that a run of the node has, and no more for more
 * routes; only where runs and parameters can both match the same segments are both tried. Every
 * node knows the smallest rank below it: what cannot beat the best match so far is not entered.
 *
 * With thousands of routes the memory that a look-up touches is cold, and each cache line costs as
 * much as many instructions. Hence runs instead of segments, candidates instead of chains of nodes,
 * and lists without arrays.
 */
export class PathTree<C extends Candidate> {
  #exact: Map<string, C> | undefined;
  #root: Node<C> | undefined;
  #rankMin = Number.POSITIVE_INFINITY;

  /**
   * In ascending rank.
   * @param rests of this and other trees
   */
  add(candidate: C, rests: Rests): void {
    const { path, rank } = candidate;
    this.#rankMin = Math.min(this.#rankMin, rank);
    if (path.kind === "exact") {
      this.#exact ??= new Map();
      this.#exact.set(path.uri, appended(this.#exact.get(path.uri), candidate));
      return;
    }
    candidate.rest = restOf(path, rests);
    put((this.#root ??= newNode(rank)), candidate);
  }

  /** @returns what beats `best`, else `best` */
  find(method: string, path: string, best: C | undefined): C | undefined {
    if (!beats(this.#rankMin, best)) return best;
    const found = firstOf(this.#exact?.get(path), method, best);
    return this.#root === undefined ? found : findIn(this.#root, method, path, 1, found);
  }
}

/** Where patterns part: always in front of a segment or at the end of a path. */
interface Node<C extends Candidate> {
  readonly isNode: true;
  /** Of everything from here on; the first to arrive, since ranks ascend. */
  readonly rank: number;
  /** Behind one parameter. */
  parameter: Place<C> | undefined;
  runs: Runs<C> | undefined;
  /** Patterns with parameters that end here. */
  here: C | undefined;
  /** Prefixes: what follows is free. */
  below: C | undefined;
  /** Best rank first. */
  regexes: C | undefined;
  lastRegex: C | undefined;
}

type Place<C extends Candidate> = Node<C> | C;

function newNode<C extends Candidate>(rank: number): Node<C> {
  return {
    isNode: true,
    rank,
    parameter: undefined,
    runs: undefined,
    here: undefined,
    below: undefined,
    regexes: undefined,
    lastRegex: undefined,
  };
}

/** @param candidate its rest begins at the node */
function put<C extends Candidate>(node: Node<C>, candidate: C): void {
  if (candidate.rest === undefined) {
    addTo(node, candidate);
    return;
  }
  const { run, behind } = candidate.rest;
  candidate.rest = behind;
  if (run === undefined) {
    node.parameter = joined(node.parameter, candidate);
    return;
  }
  node.runs ??= new Runs();
  node.runs.set(run, joined(node.runs.get(run), candidate));
}

/** What stands behind an edge once the candidate has come there. */
function joined<C extends Candidate>(known: Place<C> | undefined, candidate: C): Place<C> {
  if (known === undefined) return candidate;
  const node = known.isNode ? known : newNode<C>(known.rank);
  if (!known.isNode) put(node, known);
  put(node, candidate);
  return node;
}

function addTo<C extends Candidate>(node: Node<C>, candidate: C): void {
  if (candidate.kind === "prefix") {
    node.below = appended(node.below, candidate);
  } else if (candidate.kind === "parameters") {
    node.here = appended(node.here, candidate);
  } else {
    // An expression says nothing about the others, so none is left out.
    if (node.lastRegex === undefined) node.regexes = candidate;
    else node.lastRegex.next = candidate;
    node.lastRegex = candidate;
  }
}

/** @param at where the next segment starts: one past the end of the path when there is none */
function findAt<C extends Candidate>(
  place: Place<C>,
  method: string,
  path: string,
  at: number,
  best: C | undefined,
): C | undefined {
  if (!beats(place.rank, best)) return best;
  if (place.isNode) return findIn(place, method, path, at, best);
  return takes(place, method) && isRest(place, path, at) ? place : best;
}

/** @param at as in findAt() */
function findIn<C extends Candidate>(
  node: Node<C>,
  method: string,
  path: string,
  at: number,
  bestSoFar: C | undefined,
): C | undefined {
  let best = bestSoFar;
  if (at > path.length) {
    best = firstOf(node.here, method, best);
  } else {
    if (node.runs !== undefined) best = node.runs.find(method, path, at, best);
    if (node.parameter !== undefined) {
      const end = parameterEnd(path, at);
      if (end >= 0) best = findAt(node.parameter, method, path, end + 1, best);
    }
    best = firstOf(node.below, method, best);
  }
  return node.regexes === undefined ? best : firstRegex(node.regexes, method, path, at, best);
}

/** The runs of literal segments that may follow at one place. */
class Runs<C extends Candidate> {
  readonly #places = new Map<string, Place<C>>();
  /** By number of segments: whether there is such a run. */
  readonly #depths: boolean[] = [];
  #charsMax = 0;

  get(run: string): Place<C> | undefined {
    return this.#places.get(run);
  }

  set(run: string, place: Place<C>): void {
    this.#places.set(run, place);
    const depth = run.split("/").length;
    while (this.#depths.length <= depth) this.#depths.push(false);
    this.#depths[depth] = true;
    this.#charsMax = Math.max(this.#charsMax, run.length);
  }

  /** @param at as in findAt() */
  find(method: string, path: string, at: number, bestSoFar: C | undefined): C | undefined {
    let best = bestSoFar;
    // Neither a path of thousands of segments nor a huge segment makes this long.
    for (let depth = 1, start = at; depth < this.#depths.length && start <= path.length; depth++) {
      const end = segmentEnd(path, start);
      if (end - at > this.#charsMax) break;
      if (this.#depths[depth] === true) {
        const place = this.#places.get(path.slice(at, end));
        if (place !== undefined) best = findAt(place, method, path, end + 1, best);
      }
      start = end + 1;
    }
    return best;
  }
}

function restOf(path: PathPattern, rests: Rests): Rest | undefined {
  const steps: (string | undefined)[] = [];
  let run: string[] = [];
  for (const { isParameter, text } of path.segments) {
    if (!isParameter) {
      run.push(text);
      continue;
    }
    if (run.length > 0) steps.push(run.join("/"));
    steps.push(undefined);
    run = [];
  }
  if (run.length > 0) steps.push(run.join("/"));
  let rest: Rest | undefined;
  let key = "";
  for (const step of steps.toReversed()) {
    // No path and no pattern has a blank.
    key = `${step ?? " "}/${key}`;
    const known = rests.get(key) ?? { run: step, behind: rest };
    rests.set(key, known);
    rest = known;
  }
  return rest;
}

/** Whether the path goes on as the rest of the pattern says. @param at as in findAt() */
function isRest(candidate: Candidate, path: string, at: number): boolean {
  let next = at;
  for (let { rest } = candidate; rest !== undefined; rest = rest.behind) {
    const end = rest.run === undefined ? parameterEnd(path, next) : runEnd(path, next, rest.run);
    if (end < 0) return false;
    next = end + 1;
  }
  if (candidate.regex !== undefined) return testAt(candidate.regex, path, next);
  return candidate.kind === "prefix" ? next <= path.length : next > path.length;
}

/** -1 unless a segment that is not empty stands there. */
function parameterEnd(path: string, at: number): number {
  const end = segmentEnd(path, at);
  return end > at ? end : -1;
}

/** -1 unless the run stands there as whole segments. */
function runEnd(path: string, at: number, run: string): number {
  const end = at + run.length;
  const isWhole = end === path.length || path.charCodeAt(end) === SLASH;
  return isWhole && path.startsWith(run, at) ? end : -1;
}

function testAt(regex: RegExp, path: string, at: number): boolean {
  regex.lastIndex = at;
  return regex.test(path);
}

const SLASH = 0x2f;

function segmentEnd(path: string, at: number): number {
  const slash = path.indexOf("/", at);
  return slash < 0 ? path.length : slash;
}

/**
 * Adds a candidate of a larger rank to those with the same path, unless they take all its methods:
 * then it can never win. So a list has at most one more than there are methods.
 */
function appended<C extends Candidate>(list: C | undefined, candidate: C): C {
  if (list === undefined) return candidate;
  const untaken = new Set(candidate.methods);
  let last = list;
  for (let one: C | undefined = list; one !== undefined; one = one.next) {
    if (one.methods === undefined) return list;
    for (const method of one.methods) untaken.delete(method);
    last = one;
  }
  if (candidate.methods === undefined || untaken.size > 0) last.next = candidate;
  return list;
}

function takes(candidate: Candidate, method: string): boolean {
  return candidate.methods === undefined || candidate.methods.has(method);
}

/** The first of a list that takes the method, when it beats `best`; else `best`. */
function firstOf<C extends Candidate>(
  list: C | undefined,
  method: string,
  best: C | undefined,
): C | undefined {
  for (let one = list; one !== undefined && beats(one.rank, best); one = one.next) {
    if (takes(one, method)) return one;
  }
  return best;
}

/** As firstOf(), of those that match too. @param at as in findAt() */
function firstRegex<C extends Candidate>(
  list: C,
  method: string,
  path: string,
  at: number,
  best: C | undefined,
): C | undefined {
  for (let one: C | undefined = list; one !== undefined && beats(one.rank, best); one = one.next) {
    const { regex } = one;
    if (regex !== undefined && takes(one, method) && testAt(regex, path, at)) return one;
  }
  return best;
}

function beats(rank: number, best: Candidate | undefined): boolean {
  return best === undefined || rank < best.rank;
}
