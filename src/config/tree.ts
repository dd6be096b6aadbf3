import type { Position } from "./config.ts";

/**
 * A YAML document as a tree that knows where everything stands. Two readers build it: plain-yaml.ts
 * for the usual subset, full-yaml.ts for everything. Nodes are immutable, and an aliased node is
 * one object in several places.
 *
 *   routes:        MapNode ── entry "routes" ── ListNode ── MapNode ── entry "uri" ── ScalarNode
 *     - uri: /a    offsets (`start`, `end`) count UTF-16 units from the start of the text
 */
export type ConfigNode = MapNode | ListNode | ScalarNode;

/**
 * Half-open range of the text that is underlined for a thing: a scalar, a flow collection, the
 * first key of a block mapping, the first dash of a block list.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface MapNode extends Span {
  readonly kind: "map";
  /** In the order written; keys are unique. */
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: ConfigNode;
}

export interface ListNode extends Span {
  readonly kind: "list";
  readonly items: readonly ConfigNode[];
}

export interface ScalarNode extends Span {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As written, quotes and escapes resolved: a number as its digits, a variable as ${{NAME}}. */
  readonly written: string;
  /** The value came out of environment variables: it may also be a number or a boolean. */
  readonly substituted: boolean;
  /** A variable of it has no value, which is a finding already: nothing more is said about it. */
  readonly unresolved?: true;
}

export type Scalar = ScalarNode["value"];

/** A file's text under the name that the user gave it. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** 1-based; underlines to the end of the first line at most, and at least one character. */
  position(span: Span): Position {
    this.#lineStarts ??= lineStartsOf(this.text);
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= span.start) low = middle;
      else high = middle - 1;
    }
    const lineStart = starts[low] ?? 0;
    const nextStart = starts[low + 1];
    let lineEnd = nextStart === undefined ? this.text.length : nextStart - 1;
    if (lineEnd > lineStart && this.text[lineEnd - 1] === "\r") lineEnd--;
    const length = Math.max(1, Math.min(span.end, lineEnd) - span.start);
    return { line: low + 1, column: span.start - lineStart + 1, length };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The entry of a mapping; undefined when it has none, or when `node` is no mapping. */
export function entryOf(node: ConfigNode | undefined, key: string): Entry | undefined {
  if (node?.kind !== "map") return undefined;
  for (const entry of node.entries) if (entry.key === key) return entry;
  return undefined;
}

/** The text of a scalar; undefined for anything else, and for text that misses a variable. */
export function textOf(node: ConfigNode | undefined): string | undefined {
  if (node?.kind !== "scalar" || node.unresolved === true) return undefined;
  return typeof node.value === "string" ? node.value : undefined;
}

/** The node under a path of keys and indexes. */
export function nodeAt(
  node: ConfigNode | undefined,
  ...path: readonly (string | number)[]
): ConfigNode | undefined {
  let found = node;
  for (const step of path) {
    if (typeof step === "string") found = entryOf(found, step)?.value;
    else found = found?.kind === "list" ? found.items[step] : undefined;
  }
  return found;
}

/** JSON text of a node: keys in the order written, integers beyond a double kept exact. */
export function jsonOf(node: ConfigNode): string {
  if (node.kind === "list") return `[${node.items.map(jsonOf).join(",")}]`;
  if (node.kind === "map") {
    const members = node.entries.map(
      (entry) => `${JSON.stringify(entry.key)}:${jsonOf(entry.value)}`,
    );
    return `{${members.join(",")}}`;
  }
  const { value, written } = node;
  if (typeof value === "number" && !Number.isSafeInteger(value) && /^-?[1-9]\d*$/.test(written)) {
    return written;
  }
  return JSON.stringify(value);
}

/** The first number below `node` that JSON cannot say (.inf, .nan), if there is one. */
export function notJson(node: ConfigNode): ScalarNode | undefined {
  if (node.kind === "scalar") {
    return typeof node.value === "number" && !Number.isFinite(node.value) ? node : undefined;
  }
  const children = node.kind === "list" ? node.items : node.entries.map((entry) => entry.value);
  for (const child of children) {
    const found = notJson(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
