import { LIMITS } from "../base/limits.ts";
import type { DiagnosticCode } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { nearest } from "./nearest.ts";
import type { SourceText, Span } from "./tree.ts";

/** Characters; a message that quotes a value of a megabyte helps nobody. */
const MESSAGE_LENGTH_MAX = 500;
/** Searches for a near word in one file; after them diagnostics come without a hint. */
const NEAREST_SEARCHES_MAX = 100;

/** Collects the diagnostics of one file: without repetition, bounded, sorted at the end. */
export class Findings {
  readonly source: SourceText;
  readonly #found = new Map<string, Diagnostic>();
  /** Of each severity, so that no flood of warnings hides an error. */
  readonly #kept = { error: 0, warning: 0 };
  #leftOut = 0;
  #errors = 0;
  #searches = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  /** @param span undefined when the file as a whole is meant */
  error(code: DiagnosticCode, span: Span | undefined, message: string, hint?: string): void {
    this.#add("error", code, span, message, hint);
  }

  warning(code: DiagnosticCode, span: Span | undefined, message: string, hint?: string): void {
    this.#add("warning", code, span, message, hint);
  }

  /** `did you mean "…"?` for a word that is close to one of the candidates. */
  didYouMean(word: string, candidates: Iterable<string>): string | undefined {
    if (++this.#searches > NEAREST_SEARCHES_MAX) return undefined;
    const found = nearest(word, candidates);
    return found === undefined ? undefined : `did you mean ${JSON.stringify(found)}?`;
  }

  /** By line, then by column; those about the whole file first. */
  sorted(): Diagnostic[] {
    const diagnostics = [...this.#found.values()].toSorted(
      (a, b) =>
        (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
        (a.position?.column ?? 0) - (b.position?.column ?? 0),
    );
    if (this.#leftOut > 0) {
      diagnostics.push({
        severity: this.failed ? "error" : "warning",
        code: "CONFIG_TOO_MANY" satisfies DiagnosticCode,
        message: `${this.#leftOut} more diagnostics are left out after ${LIMITS.diagnosticsMax}`,
        file: this.source.file,
        position: undefined,
        hint: undefined,
      });
    }
    return diagnostics;
  }

  #add(
    severity: Diagnostic["severity"],
    code: DiagnosticCode,
    span: Span | undefined,
    message: string,
    hint: string | undefined,
  ): void {
    if (severity === "error") this.#errors++;
    const position = span === undefined ? undefined : this.source.position(span);
    // What an alias repeats, or two checks see, is one problem of the text and told once.
    const key = `${position?.line}:${position?.column}:${code}:${message}`;
    if (this.#found.has(key)) return;
    if (this.#kept[severity] >= LIMITS.diagnosticsMax) {
      this.#leftOut++;
      return;
    }
    this.#kept[severity]++;
    const { file } = this.source;
    const shortHint = hint === undefined ? undefined : shortened(hint);
    const diagnostic = {
      severity,
      code,
      message: shortened(message),
      file,
      position,
      hint: shortHint,
    };
    this.#found.set(key, diagnostic);
  }
}

function shortened(text: string): string {
  return text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX - 1)}…` : text;
}

/** A value inside a message: quoted, shortened, no control characters. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return JSON.stringify(shown);
}
