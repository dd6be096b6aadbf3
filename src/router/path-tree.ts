import type { PathPattern } from "./pattern.ts";

/** What a tree holds; smaller ranks win. A candidate is in one tree. */
export interface Candidate {
  readonly rank: number;
  /** undefined: every method. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly path: PathPattern;
  /** The next one of a larger rank at the same place of the tree; the tree sets it. */
  next: this | undefined;
}

/**
 * The paths of one host pattern. An exact path is one hash look-up. The others are cut at their
 * parameters into runs of literal segments; a run is one edge of the tree, looked up as a whole:
 *
 *   "/shop/v1/:id/cart/:item"    root ─"shop/v1"─▶ node ─:─▶ node ─"cart"─▶ node ─:─▶ node (here)
 *   "/shop/v1/*"                 root ─"shop/v1"─▶ node (below)
 *   "~^/shop/v1/[0-9]+"          root ─"shop/v1"─▶ node (regexes, best rank first)
 *
 * A look-up costs one hash per number of segments that a run of the node has, and no more for more
 * routes; only where runs and parameters can both match the same segments are both tried. Every
 * node knows the smallest rank below it: what cannot beat the best match so far is not entered.
 *
 * With thousands of routes the memory that a look-up touches is cold, and each cache line costs as
 * much as all its instructions. Hence runs instead of segments, lists without arrays, and one class
 * of nodes.
 */
export class PathTree<C extends Candidate> {
  #exact: Map<string, C> | undefined;
  #root: Node<C> | undefined;
  #rankMin = Number.POSITIVE_INFINITY;

  /**
   * In ascending rank.
   * @param texts runs of this and other trees; equal ones become one string, which stays cached
   */
  add(candidate: C, texts: Map<string, string>): void {
    const { path, rank } = candidate;
    this.#rankMin = Math.min(this.#rankMin, rank);
    if (path.kind === "exact") {
      this.#exact ??= new Map();
      this.#exact.set(path.uri, appended(this.#exact.get(path.uri), candidate));
      return;
    }
    let node = (this.#root ??= new Node(rank));
    let run: string[] = [];
    for (const { isParameter, text } of path.segments) {
      if (!isParameter) {
        run.push(text);
        continue;
      }
      if (run.length > 0) node = node.behindRun(sharedText(run, texts), rank);
      node = node.behindParameter(rank);
      run = [];
    }
    if (run.length > 0) node = node.behindRun(sharedText(run, texts), rank);
    node.add(candidate);
  }

  /** @returns what beats `best`, else `best` */
  find(method: string, path: string, best: C | undefined): C | undefined {
    if (!beats(this.#rankMin, best)) return best;
    const found = firstOf(this.#exact?.get(path), method, best);
    return this.#root === undefined ? found : this.#root.find(method, path, 1, found);
  }
}

/** A place in a path, always in front of a segment or at the end. */
class Node<C extends Candidate> {
  /** Of everything from here on; the first to arrive, since ranks ascend. */
  readonly #rankMin: number;
  /** Patterns with parameters that end here. */
  #here: C | undefined;
  /** Prefixes: what follows is free. */
  #below: C | undefined;
  #regexes: C[] | undefined;
  #parameter: Node<C> | undefined;
  /** The first run; behind a parameter it is nearly always the only one, and needs no hash. */
  #firstRun: string | undefined;
  #firstNode: Node<C> | undefined;
  /** As soon as there are two. */
  #runs: Runs<C> | undefined;

  constructor(rankMin: number) {
    this.#rankMin = rankMin;
  }

  add(candidate: C): void {
    const { kind } = candidate.path;
    if (kind === "regex") (this.#regexes ??= []).push(candidate);
    else if (kind === "prefix") this.#below = appended(this.#below, candidate);
    else this.#here = appended(this.#here, candidate);
  }

  /** The node behind one parameter, made when there is none. */
  behindParameter(rank: number): Node<C> {
    return (this.#parameter ??= new Node(rank));
  }

  /** The node behind literal segments, made when there is none. @param run without outer slashes */
  behindRun(run: string, rank: number): Node<C> {
    if (this.#firstNode === undefined || this.#firstRun === undefined) {
      this.#firstRun = run;
      this.#firstNode = new Node(rank);
      return this.#firstNode;
    }
    if (run === this.#firstRun) return this.#firstNode;
    this.#runs ??= new Runs(this.#firstRun, this.#firstNode);
    return this.#runs.behind(run, rank);
  }

  /** @param at where the next segment starts: one past the end of the path when there is none */
  find(method: string, path: string, at: number, bestSoFar: C | undefined): C | undefined {
    if (!beats(this.#rankMin, bestSoFar)) return bestSoFar;
    let best = bestSoFar;
    if (at > path.length) {
      best = firstOf(this.#here, method, best);
    } else {
      best = this.#findBehindRun(method, path, at, best);
      if (this.#parameter !== undefined) {
        const end = segmentEnd(path, at);
        if (end > at) best = this.#parameter.find(method, path, end + 1, best);
      }
      best = firstOf(this.#below, method, best);
    }
    return this.#regexes === undefined ? best : firstRegex(this.#regexes, method, path, best);
  }

  #findBehindRun(method: string, path: string, at: number, best: C | undefined): C | undefined {
    if (this.#runs !== undefined) return this.#runs.find(method, path, at, best);
    if (this.#firstRun === undefined || this.#firstNode === undefined) return best;
    const end = at + this.#firstRun.length;
    const isWhole = end === path.length || path.charCodeAt(end) === SLASH;
    if (!isWhole || !path.startsWith(this.#firstRun, at)) return best;
    return this.#firstNode.find(method, path, end + 1, best);
  }
}

/** Two and more runs of literal segments that may follow at one place. */
class Runs<C extends Candidate> {
  readonly #nodes = new Map<string, Node<C>>();
  /** By number of segments: whether there is such a run. */
  readonly #depths: boolean[] = [];
  #charsMax = 0;

  constructor(run: string, node: Node<C>) {
    this.#set(run, node);
  }

  behind(run: string, rank: number): Node<C> {
    const known = this.#nodes.get(run);
    return known ?? this.#set(run, new Node(rank));
  }

  /** @param at as in Node.find() */
  find(method: string, path: string, at: number, bestSoFar: C | undefined): C | undefined {
    let best = bestSoFar;
    // Neither a path of thousands of segments nor a huge segment makes this long.
    for (let depth = 1, start = at; depth < this.#depths.length && start <= path.length; depth++) {
      const end = segmentEnd(path, start);
      if (end - at > this.#charsMax) break;
      if (this.#depths[depth] === true) {
        const node = this.#nodes.get(path.slice(at, end));
        if (node !== undefined) best = node.find(method, path, end + 1, best);
      }
      start = end + 1;
    }
    return best;
  }

  #set(run: string, node: Node<C>): Node<C> {
    this.#nodes.set(run, node);
    const depth = run.split("/").length;
    while (this.#depths.length <= depth) this.#depths.push(false);
    this.#depths[depth] = true;
    this.#charsMax = Math.max(this.#charsMax, run.length);
    return node;
  }
}

function sharedText(segments: readonly string[], texts: Map<string, string>): string {
  const text = segments.join("/");
  const known = texts.get(text);
  if (known === undefined) texts.set(text, text);
  return known ?? text;
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

/** The first of a list that takes the method, when it beats `best`; else `best`. */
function firstOf<C extends Candidate>(
  list: C | undefined,
  method: string,
  best: C | undefined,
): C | undefined {
  for (let one = list; one !== undefined && beats(one.rank, best); one = one.next) {
    if (one.methods === undefined || one.methods.has(method)) return one;
  }
  return best;
}

function firstRegex<C extends Candidate>(
  list: readonly C[],
  method: string,
  path: string,
  best: C | undefined,
): C | undefined {
  for (const one of list) {
    if (!beats(one.rank, best)) break;
    const isForMethod = one.methods === undefined || one.methods.has(method);
    if (isForMethod && one.path.regex?.test(path) === true) return one;
  }
  return best;
}

function beats(rank: number, best: Candidate | undefined): boolean {
  return best === undefined || rank < best.rank;
}
