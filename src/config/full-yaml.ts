import type { Alias, Document, Node, Pair, Scalar, YAMLError } from "yaml";
import { isAlias, isMap, isPair, isScalar, isSeq, parseDocument, visit } from "yaml";
import { LIMITS } from "../base/limits.ts";
import { messageOf } from "../base/errors.ts";
import { type Findings, quote } from "./findings.ts";
import { resolvePlain } from "./plain-scalar.ts";
import type { ConfigNode, Entry, ScalarNode, Span } from "./tree.ts";

/**
 * Reads every YAML 1.2 document into a tree, anchors, aliases and merge keys resolved, or says what
 * is wrong with it. Aliased nodes are shared, not copied; what aliases stand for is counted all the
 * same, because whoever walks the tree meets it again each time.
 * @returns undefined when there is an error, and then at least one finding
 */
export function readFullYaml(text: string, findings: Findings): ConfigNode | undefined {
  let document;
  try {
    // Our own resolution of plain scalars, duplicate keys and merges: both readers must agree on
    // them, and the package compares each key with every other one.
    document = parseDocument(text, {
      schema: "failsafe",
      resolveKnownTags: false,
      uniqueKeys: false,
      prettyErrors: false,
      // "silent" would let a second document pass.
      logLevel: "error",
    });
  } catch (error) {
    // Far too deep nesting overflows the package's stack.
    const tooDeep = error instanceof RangeError;
    const what = tooDeep ? "nested too deep to be read" : `cannot be read: ${messageOf(error)}`;
    findings.error(tooDeep ? "CONFIG_YAML_DEPTH" : "CONFIG_YAML_SYNTAX", undefined, `YAML ${what}`);
    return undefined;
  }
  reportAll(document, findings);
  if (findings.failed) return undefined;
  const version = document.directives.yaml;
  if (version.explicit === true && version.version !== "1.2") {
    const message = `a YAML ${version.version} document cannot be read, only YAML 1.2`;
    findings.error("CONFIG_YAML_SYNTAX", { start: 0, end: 5 }, message);
    return undefined;
  }
  if (document.contents === null) return nullAt({ start: 0, end: 0 });
  const tree = new TreeBuilder(findings).build(document.contents, 0, { start: 0, end: 0 });
  return findings.failed ? undefined : tree;
}

/** The first problem of each line: the others of a line mostly follow from it. */
function reportAll(document: Document.Parsed, findings: Findings): void {
  const problems = [...document.errors, ...document.warnings];
  const unclosed = problems.find(({ message }) => /^Missing closing .quote/.test(message));
  if (unclosed !== undefined) {
    // The text runs to the end of the file, and everything else that is wrong comes from that.
    const span = openingQuote(document, unclosed);
    findings.error("CONFIG_YAML_SYNTAX", span, "the quote that opens here is not closed");
    return;
  }
  const lines = new Set<number>();
  for (const problem of problems.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const { line } = findings.source.position({ start: problem.pos[0], end: problem.pos[1] });
    if (!lines.has(line)) report(problem, findings);
    lines.add(line);
  }
}

function report(problem: YAMLError, findings: Findings): void {
  const [start, end] = problem.pos;
  if (problem.code === "RESOURCE_EXHAUSTION") {
    findings.error("CONFIG_YAML_DEPTH", { start, end }, "YAML nested too deep to be read");
    return;
  }
  const isSecond = problem.code === "MULTIPLE_DOCS";
  const text = isSecond ? "A second document begins here" : problem.message;
  const first = text.split("\n", 1)[0] ?? "";
  const message = first.slice(0, 200).replace(/\.$/, "");
  const lowered = `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`;
  findings.error("CONFIG_YAML_SYNTAX", { start, end }, lowered, hintFor(problem, findings));
}

/** The package points to the end of the text that lacks its quote: where it begins says more. */
function openingQuote(document: Document.Parsed, problem: YAMLError): Span {
  let start = problem.pos[0];
  visit(document, {
    Scalar(_key, node) {
      const from = node.range?.[0] ?? start;
      const isQuoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE";
      if (isQuoted && from <= problem.pos[0]) start = from;
    },
  });
  return { start, end: start + 1 };
}

function hintFor(problem: YAMLError, findings: Findings): string | undefined {
  const { text } = findings.source;
  const lineStart = text.lastIndexOf("\n", Math.max(0, problem.pos[0] - 1)) + 1;
  const variable = text.indexOf("${{", lineStart);
  if (variable >= 0 && variable <= problem.pos[1]) {
    return 'between { } and [ ] a variable needs quotes: "${{NAME}}"';
  }
  if (problem.message.includes("Flow")) return "is a ] or a } missing before this?";
  return HINTS[problem.code];
}

const HINTS: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  TAB_AS_INDENT: "indent with spaces",
  BAD_INDENT: "the keys of one mapping, and the dashes of one list, start in the same column",
  BLOCK_AS_IMPLICIT_KEY: "text with a colon needs quotes; or is the next line too deep?",
  MULTILINE_IMPLICIT_KEY: "is a colon missing behind a key, or a quote at the end of a text?",
  MULTIPLE_DOCS: "one file is one document: remove this line, and what is behind it",
  BAD_SCALAR_START: "text that starts with this character needs quotes",
  BAD_DQ_ESCAPE: "write the text in single quotes, where a backslash is only a backslash",
  TAG_RESOLVE_FAILED: "tags are not used in this file",
};

interface Built {
  readonly node: ConfigNode;
  /** Nodes below and including this one, aliases expanded. */
  readonly size: number;
  /** Levels below this one, aliases expanded. */
  readonly height: number;
}

class TreeBuilder {
  readonly #findings: Findings;
  /** Anchored nodes so far; undefined while one is being built, as its own parts may name it. */
  readonly #anchors = new Map<string, Built | undefined>();
  #aliases = 0;
  #aliasedNodes = 0;
  #nodes = 0;
  /** Depth of the deepest node so far. */
  #deepest = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** @param owner what is pointed to when the node is empty: the key that it belongs to */
  build(source: Node, depth: number, owner: Span): ConfigNode {
    if (isAlias(source)) return this.#expand(source, depth, owner);
    if (!this.#isWithin(depth, spanOf(source, owner))) return nullAt(owner);
    const anchor = "anchor" in source ? source.anchor : undefined;
    if (anchor === undefined) return this.#buildHere(source, depth, owner);
    this.#anchors.set(anchor, undefined);
    const nodesBefore = this.#nodes;
    const deepestBefore = this.#deepest;
    this.#deepest = depth;
    const node = this.#buildHere(source, depth, owner);
    const size = this.#nodes - nodesBefore;
    this.#anchors.set(anchor, { node, size, height: this.#deepest - depth });
    this.#deepest = Math.max(this.#deepest, deepestBefore);
    return node;
  }

  /** Notes how deep the tree is, and refuses what is too deep for those who walk it. */
  #isWithin(depth: number, span: Span): boolean {
    this.#deepest = Math.max(this.#deepest, depth);
    if (depth <= LIMITS.yamlDepthMax) return true;
    const message = `nesting is limited to ${LIMITS.yamlDepthMax} levels`;
    this.#findings.error("CONFIG_YAML_DEPTH", span, message);
    return false;
  }

  #buildHere(source: Node, depth: number, owner: Span): ConfigNode {
    this.#nodes++;
    const span = spanOf(source, owner);
    if (isScalar(source)) return scalarOf(source, span);
    if (isSeq(source)) {
      const items = source.items.map((item) => this.build(item as Node, depth + 1, span));
      return { kind: "list", items, ...span };
    }
    if (isMap(source)) return { kind: "map", entries: this.#entries(source.items, depth), ...span };
    this.#findings.error("CONFIG_YAML_SYNTAX", span, "expected a mapping, a list or a scalar");
    return nullAt(span);
  }

  #entries(pairs: readonly Pair[], depth: number): Entry[] {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of pairs) {
      if (!isPair(pair)) continue;
      const key = pair.key as Node | null;
      if (!isScalar(key)) {
        const span = key === null ? { start: 0, end: 0 } : spanOf(key, { start: 0, end: 0 });
        this.#findings.error(
          "CONFIG_YAML_KEY",
          span,
          "a key is plain text, not a collection or an alias",
        );
        continue;
      }
      const keySpan = spanOf(key, { start: 0, end: 0 });
      const value = this.#valueOf(pair, depth, keySpan);
      const name = String(key.type === "PLAIN" ? (key.source ?? "") : key.value);
      if (name === "<<" && key.type === "PLAIN") {
        this.#merge(value, keySpan, merged);
        continue;
      }
      const before = own.get(name);
      if (before !== undefined) {
        const { line } = this.#findings.source.position(before.keySpan);
        const message = `key ${quote(name)} stands in this mapping already, in line ${line}`;
        this.#findings.error("CONFIG_YAML_KEY", keySpan, message);
      }
      own.set(name, { key: name, keySpan, value });
    }
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry);
    return [...own.values()];
  }

  #valueOf(pair: Pair, depth: number, keySpan: Span): ConfigNode {
    const value = pair.value as Node | null;
    if (value === null) {
      this.#nodes++;
      return nullAt(keySpan);
    }
    return this.build(value, depth + 1, keySpan);
  }

  /** `<<: *defaults` or `<<: [*first, *second]`: an earlier one wins, an own key wins over all. */
  #merge(value: ConfigNode, keySpan: Span, merged: Map<string, Entry>): void {
    const sources = value.kind === "list" ? value.items : [value];
    for (const source of sources) {
      if (source.kind !== "map") {
        const message = "a merge key << takes a mapping, or a list of mappings";
        this.#findings.error("CONFIG_YAML_KEY", keySpan, message);
        return;
      }
      for (const entry of source.entries) {
        if (!merged.has(entry.key)) merged.set(entry.key, entry);
      }
    }
  }

  #expand(alias: Alias, depth: number, owner: Span): ConfigNode {
    const span = spanOf(alias, owner);
    const name = alias.source;
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const message = this.#anchors.has(name)
        ? `alias *${name} stands inside of what it stands for`
        : `alias *${name} has no anchor &${name} before it`;
      const hint = this.#findings.didYouMean(name, this.#anchors.keys());
      this.#findings.error("CONFIG_YAML_ALIAS", span, message, hint);
      return nullAt(span);
    }
    if (!this.#isWithin(depth + target.height, span)) return nullAt(span);
    this.#aliases++;
    this.#aliasedNodes += target.size;
    this.#nodes += target.size;
    if (this.#aliases > LIMITS.yamlAliasesMax) {
      const message = `a file has at most ${LIMITS.yamlAliasesMax} aliases`;
      this.#findings.error("CONFIG_YAML_ALIAS", undefined, message);
    }
    if (this.#aliasedNodes > LIMITS.yamlAliasedNodesMax) {
      const limit = LIMITS.yamlAliasedNodesMax;
      const message = `the aliases of a file stand for at most ${limit} nodes in all`;
      this.#findings.error("CONFIG_YAML_ALIAS", undefined, message);
    }
    return target.node;
  }
}

function scalarOf(source: Scalar, span: Span): ScalarNode {
  const text = String(source.value);
  const plain = source.type === "PLAIN" && source.tag === undefined;
  const value = plain ? resolvePlain(text) : text;
  return { kind: "scalar", value, written: text, substituted: false, ...span };
}

function nullAt(span: Span): ScalarNode {
  return { kind: "scalar", value: null, written: "", substituted: false, ...span };
}

/** What to underline. An empty node has no characters: its owner is pointed to instead. */
function spanOf(node: Node, owner: Span): Span {
  const [start, end] = node.range ?? [owner.start, owner.end];
  if (start === end) return { start: owner.start, end: owner.end };
  if (isSeq(node) && node.flow !== true) return { start, end: start + 1 };
  if (isMap(node) && node.flow !== true) {
    const key = node.items[0]?.key as Node | null | undefined;
    return key?.range ? { start: key.range[0], end: key.range[1] } : { start, end: start + 1 };
  }
  return { start, end };
}
