import { EVENT, KIND_BITS, KIND_MASK, type ScannedCode } from "./trace.ts";

/** The module's own functions are nodes 0 to count - 1; one more stands for all indirect calls. */
export interface CallGraph {
  /** Own functions, every one after those that it calls, but for cycles. */
  readonly order: Int32Array;
  /** 1: the function is on a cycle, so that it may recurse. */
  readonly recursive: Uint8Array;
  /** True when there is an instruction that calls through a table or a reference. */
  readonly indirect: boolean;
}

/**
 * Finds recursion: strongly connected components of direct and indirect calls, by Tarjan's method
 * with a stack of its own, because a chain of calls may be as long as the module has functions.
 * @param imported functions before the module's own
 * @param taken 1 for own functions that can be called indirectly
 */
export function findCycles(scan: ScannedCode, imported: number, taken: Uint8Array): CallGraph {
  const edges = readEdges(scan, imported, taken);
  const walk = new Walk(edges, scan.count);
  for (let node = 0; node < scan.count; node++) walk.from(node);
  return {
    order: walk.order.filter((node) => node < scan.count),
    recursive: walk.recursive,
    indirect: edges.indirect,
  };
}

interface Edges {
  /** Where the edges of a node begin; one entry more says where the last one's end. */
  readonly first: Int32Array;
  readonly target: Int32Array;
  readonly indirect: boolean;
}

function readEdges(scan: ScannedCode, imported: number, taken: Uint8Array): Edges {
  const { count } = scan;
  const { fields } = scan.events;
  const first = new Int32Array(count + 2);
  const target: number[] = [];
  let indirect = false;
  for (let node = 0; node < count; node++) {
    const end = scan.firstEvent[node + 1] as number;
    let isIndirect = false;
    for (let event = scan.firstEvent[node] as number; event < end; event++) {
      const word = fields[3 * event] as number;
      const kind = word & KIND_MASK;
      const callee = (word >> KIND_BITS) - imported;
      if (kind === EVENT.call && callee >= 0) target.push(callee);
      else if (kind === EVENT.callIndirect) isIndirect = true;
    }
    if (isIndirect) target.push(count);
    indirect ||= isIndirect;
    first[node + 1] = target.length;
  }
  if (indirect) for (let node = 0; node < count; node++) if (taken[node] === 1) target.push(node);
  first[count + 1] = target.length;
  return { first, target: Int32Array.from(target), indirect };
}

class Walk {
  readonly order: Int32Array;
  readonly recursive: Uint8Array;
  readonly #edges: Edges;
  /** When a node was first met, counted from 1; 0: not yet. */
  readonly #met: Int32Array;
  /** The earliest node that can be reached and is still open. */
  readonly #low: Int32Array;
  /** Next edge to follow. */
  readonly #next: Int32Array;
  /** The path to the node, and the nodes whose component is not complete. */
  readonly #path: Int32Array;
  readonly #open: Int32Array;
  readonly #isOpen: Uint8Array;
  #opened = 0;
  #time = 0;
  #ordered = 0;

  constructor(edges: Edges, count: number) {
    const nodes = count + 1;
    this.#edges = edges;
    this.order = new Int32Array(nodes).fill(count);
    this.recursive = new Uint8Array(nodes);
    this.#met = new Int32Array(nodes);
    this.#low = new Int32Array(nodes);
    this.#next = new Int32Array(nodes);
    this.#path = new Int32Array(nodes);
    this.#open = new Int32Array(nodes);
    this.#isOpen = new Uint8Array(nodes);
  }

  from(start: number): void {
    if (this.#met[start] !== 0) return;
    let depth = 0;
    this.#enter(start, 0);
    // Ends: every node is entered once, and every edge followed once.
    while (depth >= 0) {
      const node = this.#path[depth] as number;
      const edge = this.#next[node] as number;
      if (edge < (this.#edges.first[node + 1] as number)) {
        this.#next[node] = edge + 1;
        const target = this.#edges.target[edge] as number;
        if (target === node) this.recursive[node] = 1;
        if (this.#met[target] === 0) this.#enter(target, ++depth);
        else if (this.#isOpen[target] === 1) this.#lower(node, this.#met[target] as number);
      } else {
        depth--;
        if (depth >= 0) this.#lower(this.#path[depth] as number, this.#low[node] as number);
        if (this.#low[node] === this.#met[node]) this.#complete(node);
      }
    }
  }

  #enter(node: number, depth: number): void {
    this.#met[node] = ++this.#time;
    this.#low[node] = this.#time;
    this.#next[node] = this.#edges.first[node] as number;
    this.#path[depth] = node;
    this.#open[this.#opened++] = node;
    this.#isOpen[node] = 1;
  }

  #lower(node: number, low: number): void {
    this.#low[node] = Math.min(this.#low[node] as number, low);
  }

  /** The nodes that were opened since `root` call one another. */
  #complete(root: number): void {
    const several = this.#open[this.#opened - 1] !== root;
    let node: number;
    do {
      node = this.#open[--this.#opened] as number;
      this.#isOpen[node] = 0;
      if (several) this.recursive[node] = 1;
      this.order[this.#ordered++] = node;
    } while (node !== root);
  }
}
