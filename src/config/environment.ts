import { type Findings, quote } from "./findings.ts";
import type { ConfigNode, Entry, MapNode, ScalarNode, Span } from "./tree.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const NAME_AND_DEFAULT = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?::=(.*))?$/s;

/**
 * Puts environment variables into the string values of a tree.
 *
 *   ${{NAME}}            its value; not set is an error
 *   ${{NAME:=default}}   its value, or the default when it is not set (empty counts as set)
 *   $${{NAME}}           the text ${{NAME}} itself
 *
 * Why after parsing: a value cannot change the structure of the file, whatever it contains. A value
 * that comes out of variables may still stand where a number or a boolean is expected.
 */
export function substituteEnvironment(
  root: ConfigNode,
  environment: Environment,
  findings: Findings,
): ConfigNode {
  const { text } = findings.source;
  // The escapes of double-quoted text can spell a variable too.
  if (!text.includes("${{") && !/\\[xuU]/.test(text)) return root;
  return new Substitution(environment, findings).node(root);
}

class Substitution {
  readonly #environment: Environment;
  readonly #findings: Findings;
  /** Aliased collections stay one object, and are walked once. */
  readonly #done = new Map<ConfigNode, ConfigNode>();

  constructor(environment: Environment, findings: Findings) {
    this.#environment = environment;
    this.#findings = findings;
  }

  node(source: ConfigNode): ConfigNode {
    if (source.kind === "scalar") return this.#scalar(source);
    let done = this.#done.get(source);
    if (done === undefined) {
      done =
        source.kind === "map"
          ? this.#map(source)
          : { ...source, items: source.items.map((item) => this.node(item)) };
      this.#done.set(source, done);
    }
    return done;
  }

  #map(source: MapNode): MapNode {
    const entries = source.entries.map((entry): Entry => {
      if (entry.key.includes("${{")) {
        const message = `key ${quote(entry.key)} holds a variable, only values can`;
        const hint = 'nodes have a list form: - { host: "${{NAME}}", port: 80 }';
        this.#findings.error("CONFIG_ENV_SYNTAX", entry.keySpan, message, hint);
      }
      return { ...entry, value: this.node(entry.value) };
    });
    return { ...source, entries };
  }

  #scalar(source: ScalarNode): ScalarNode {
    const { value } = source;
    if (typeof value !== "string" || !value.includes("${{")) return source;
    let result = "";
    let substituted = false;
    let unresolved = false;
    let at = 0;
    // By hand: a pattern would look for the end of each of a million beginnings.
    for (let open = value.indexOf("${{"); open >= 0; open = value.indexOf("${{", at)) {
      const close = value.indexOf("}}", open);
      if (close < 0) {
        const message = `a variable is not closed with }} in ${quote(value)}`;
        this.#findings.error("CONFIG_ENV_SYNTAX", source, message);
        unresolved = true;
        break;
      }
      const isEscaped = open > at && value[open - 1] === "$";
      result += value.slice(at, isEscaped ? open - 1 : open);
      at = close + "}}".length;
      const match = value.slice(open, at);
      const found = isEscaped ? match : this.#value(match, source);
      result += found ?? "";
      unresolved ||= found === undefined;
      substituted ||= !isEscaped;
    }
    result += value.slice(at);
    return { ...source, value: result, substituted, ...(unresolved && { unresolved }) };
  }

  #value(match: string, source: ScalarNode): string | undefined {
    const parts = NAME_AND_DEFAULT.exec(match.slice("${{".length, -"}}".length));
    if (parts === null) {
      const message = `${quote(match)} is not of the form \${{NAME}} or \${{NAME:=default}}`;
      this.#findings.error("CONFIG_ENV_SYNTAX", this.#spanOf(match, source), message);
      return undefined;
    }
    const [, name = "", fallback] = parts;
    const set = Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
    if (set !== undefined) return set;
    if (fallback !== undefined) return fallback.trim();
    const near = this.#findings.didYouMean(name, Object.keys(this.#environment));
    const hint = near ?? `set it, or give it a default: \${{${name}:=…}}`;
    const message = `environment variable ${name} is not set and has no default`;
    this.#findings.error("CONFIG_ENV_UNSET", this.#spanOf(match, source), message, hint);
    return undefined;
  }

  /** The variable itself inside of a longer value, when it stands in the file as it is. */
  #spanOf(match: string, source: ScalarNode): Span {
    const at = this.#findings.source.text.indexOf(match, source.start);
    if (at < 0 || at + match.length > source.end) return source;
    return { start: at, end: at + match.length };
  }
}
