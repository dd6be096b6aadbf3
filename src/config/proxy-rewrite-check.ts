import { type Findings, quote } from "./findings.ts";
import { checkPattern, type Problem } from "./route-match.ts";
import { parseAddress } from "./address.ts";
import { type ConfigNode, type Span, nodeAt, textOf } from "./tree.ts";

/**
 * What ProxyRewriteSchema cannot say: the pattern compiles, the replacement names groups that
 * exist, and nothing can break out of the request line or a header line.
 * @param node the configuration, of the schema's form
 */
export function checkProxyRewrite(node: ConfigNode, findings: Findings): void {
  const uri = textAt(node, "uri");
  if (uri !== undefined && /[^!-~]|[#\\]/.test(uri.text)) {
    const message = `uri ${quote(uri.text)} holds a blank, a control character, # or \\`;
    findings.error("CONFIG_BAD_URI", uri.span, message, "write such a character percent-encoded");
  }
  checkRegexUri(node, findings);
  const host = textAt(node, "host");
  const parsed = host === undefined ? undefined : parseAddress(host.text);
  if (host !== undefined && parsed !== undefined && "problem" in parsed) {
    const message = `host ${quote(host.text)} ${parsed.problem}`;
    findings.error("CONFIG_BAD_HOST", host.span, message, parsed.hint);
  }
  for (const step of ["set", "add"]) checkHeaders(nodeAt(node, "headers", step), findings);
  const removed = nodeAt(node, "headers", "remove");
  for (const item of removed?.kind === "list" ? removed.items : []) {
    const name = textOf(item);
    if (name !== undefined) checkName(name, item, findings);
  }
}

function checkRegexUri(node: ConfigNode, findings: Findings): void {
  const both = nodeAt(node, "regex_uri");
  if (both !== undefined && nodeAt(node, "uri") !== undefined) {
    const message = 'keys "uri" and "regex_uri" exclude each other';
    findings.error("CONFIG_KEY_CONFLICT", both, message);
  }
  const pattern = textAt(node, "regex_uri", 0);
  const replacement = textAt(node, "regex_uri", 1);
  if (pattern === undefined || replacement === undefined) return;
  const problem = checkPattern(pattern.text);
  if (problem !== undefined) {
    findings.error(problem.code, pattern.span, `pattern ${quote(pattern.text)} ${problem.problem}`);
    return;
  }
  const wrong = checkReplacement(replacement.text, pattern.text);
  if (wrong === undefined) return;
  const message = `replacement ${quote(replacement.text)} ${wrong.problem}`;
  findings.error(wrong.code, replacement.span, message, wrong.hint);
}

/**
 * A replacement of String.prototype.replace: `$1` to `$99`, `$<name>`, `$&` (the match), `$$`. Its
 * two others would copy what stands before or behind the match, and nobody means them in a path.
 */
export function checkReplacement(replacement: string, pattern: string): Problem | undefined {
  const groups = (new RegExp(`${pattern}|`).exec("")?.length ?? 1) - 1;
  const names = new Set([...pattern.matchAll(/\(\?<([^=!>][^>]*)>/g)].map(([, name]) => name));
  for (const [reference] of replacement.matchAll(/\$(?:\$|&|\d{1,2}|<[^>]*>|.|$)/gs)) {
    if (reference === "$$" || reference === "$&") continue;
    const name = /^\$<(.*)>$/s.exec(reference)?.[1];
    if (name !== undefined ? names.has(name) : isGroup(reference.slice(1), groups)) continue;
    const digits = /^\$\d/.test(reference);
    if (digits || name !== undefined) {
      const has = groups === 0 ? "has no groups" : `has ${groups}`;
      return {
        code: "CONFIG_BAD_REGEX",
        problem: `names group ${reference.slice(1)}, the pattern ${has}`,
      };
    }
    const hint = /^\$[{[(]/.test(reference)
      ? "groups are written $1"
      : "write $$ for a dollar sign";
    return { code: "CONFIG_BAD_REGEX", problem: "holds a $ that names no group", hint };
  }
  return undefined;
}

/** "12" is group 12, or group 1 and a 2 when there are fewer. */
function isGroup(digits: string, groups: number): boolean {
  if (!/^\d+$/.test(digits)) return false;
  const whole = Number(digits);
  return (whole >= 1 && whole <= groups) || (Number(digits[0]) >= 1 && Number(digits[0]) <= groups);
}

function checkHeaders(headers: ConfigNode | undefined, findings: Findings): void {
  if (headers?.kind !== "map") return;
  for (const { key, keySpan, value } of headers.entries) {
    checkName(key, keySpan, findings);
    const text = textOf(value);
    if (text === undefined || FIELD_VALUE.test(text)) continue;
    const message = `the value of header ${quote(key)} holds a character that no header line can`;
    const hint = "a value has no line breaks, and no blanks at its ends";
    findings.error("CONFIG_BAD_VALUE", value, message, hint);
  }
}

const FIELD_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
/** The gateway writes these itself, and two opinions about framing are a request smuggled. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ..."connection keep-alive proxy-connection te trailer upgrade".split(" "),
  ..."content-length transfer-encoding".split(" "),
]);

function checkName(name: string, span: Span, findings: Findings): void {
  if (!FIELD_NAME.test(name)) {
    findings.error("CONFIG_BAD_VALUE", span, `header name ${quote(name)} is no header name`);
  } else if (name.toLowerCase() === "host") {
    const message = "header Host cannot be changed here";
    findings.error("CONFIG_BAD_VALUE", span, message, 'use the key "host" of proxy-rewrite');
  } else if (OWN_HEADERS.has(name.toLowerCase())) {
    const message = `header ${quote(name)} belongs to the connection and cannot be changed`;
    findings.error("CONFIG_BAD_VALUE", span, message);
  }
}

function textAt(
  node: ConfigNode,
  ...path: readonly (string | number)[]
): { text: string; span: Span } | undefined {
  const found = nodeAt(node, ...path);
  const text = textOf(found);
  return found === undefined || text === undefined ? undefined : { text, span: found };
}
