import type { Position } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** Characters of a long source line that are shown on each side of the mark. */
const CONTEXT_LENGTH = 60;

/** Of a key that somebody has written into the file itself: its line is not shown. */
const SECRET_LINE = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** What would move the caret, steer a terminal, or show a text in another order than it has. */
const UNSHOWABLE = /(?!\t)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * Diagnostics as a compiler shows them, each with its line of the file; ends with a newline.
 *
 *   gateway.yaml:6:1: error: unknown key "chekcs" in upstream "users" [CONFIG_UNKNOWN_KEY]
 *     6 │ chekcs:
 *       │ ^^^^^^  did you mean "checks"?
 *
 * @param text of the file that they are about; lines that it does not have are left out
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  text: string,
  options: { color?: boolean | undefined } = {},
): string {
  if (diagnostics.length === 0) return "";
  const paint = options.color === true ? PAINT : PLAIN;
  const lines = text.split("\n");
  const parts = diagnostics.map((diagnostic) => {
    const { position, hint } = diagnostic;
    const source = position === undefined ? undefined : lines[position.line - 1];
    const head = headOf(diagnostic, paint);
    if (position === undefined || source === undefined || SECRET_LINE.test(source)) {
      return hint === undefined ? head : `${head}\n    ${paint.hint(shown(hint))}`;
    }
    return `${head}\n${frameOf(diagnostic, position, source.replace(/\r$/, ""), paint)}`;
  });
  return `${parts.join("\n")}\n`;
}

/** `{ valid, diagnostics: [{ severity, code, message, file, line, column, length, hint }] }`. */
export function diagnosticsAsJson(diagnostics: readonly Diagnostic[]): string {
  const list = diagnostics.map(({ severity, code, message, file, position, hint }) => ({
    severity,
    code,
    message,
    file,
    line: position?.line ?? null,
    column: position?.column ?? null,
    length: position?.length ?? null,
    hint: hint ?? null,
  }));
  const valid = diagnostics.every(({ severity }) => severity !== "error");
  return JSON.stringify({ valid, diagnostics: list }, null, 2);
}

interface Paint {
  error(text: string): string;
  warning(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
  hint(text: string): string;
}

const PLAIN: Paint = {
  error: same,
  warning: same,
  strong: same,
  faint: same,
  hint: same,
};

const PAINT: Paint = {
  error: (text) => `\u001b[1;31m${text}\u001b[0m`,
  warning: (text) => `\u001b[1;33m${text}\u001b[0m`,
  strong: (text) => `\u001b[1m${text}\u001b[0m`,
  faint: (text) => `\u001b[2m${text}\u001b[0m`,
  hint: (text) => `\u001b[36m${text}\u001b[0m`,
};

function same(text: string): string {
  return text;
}

function headOf(diagnostic: Diagnostic, paint: Paint): string {
  const { file, position, severity, message, code } = diagnostic;
  const at = position === undefined ? "" : `:${position.line}:${position.column}`;
  const label = paint[severity](`${severity}:`);
  const place = paint.strong(`${shown(file)}${at}:`);
  return `${place} ${label} ${shown(message)} ${paint.faint(`[${code}]`)}`;
}

function frameOf(
  { severity, hint }: Diagnostic,
  { line, column, length }: Position,
  source: string,
  paint: Paint,
): string {
  const start = column - 1;
  const isLong = source.length > 2 * CONTEXT_LENGTH;
  const before = shown(keepEnd(source.slice(0, start), isLong));
  const marked = shown(keepStart(source.slice(start, start + length), isLong));
  const after = shown(keepStart(source.slice(start + length), isLong));
  const gutter = String(line).padStart(3);
  const indent = " ".repeat(Bun.stringWidth(before));
  const caret = paint[severity]("^".repeat(Math.max(1, Bun.stringWidth(marked))));
  const tail = hint === undefined ? "" : `  ${paint.hint(shown(hint))}`;
  const first = `${paint.faint(`${gutter} │`)} ${before}${marked}${after}`.trimEnd();
  return `${first}\n${paint.faint(`${" ".repeat(gutter.length)} │`)} ${indent}${caret}${tail}`;
}

function keepEnd(text: string, isLong: boolean): string {
  return isLong && text.length > CONTEXT_LENGTH ? `…${text.slice(-CONTEXT_LENGTH)}` : text;
}

function keepStart(text: string, isLong: boolean): string {
  return isLong && text.length > CONTEXT_LENGTH ? `${text.slice(0, CONTEXT_LENGTH)}…` : text;
}

/** On one line, with nothing in it that a terminal would obey; a tab is two blanks wide. */
function shown(text: string): string {
  return text.replaceAll(UNSHOWABLE, "\ufffd").replaceAll("\t", "  ");
}
