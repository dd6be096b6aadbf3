import type { Position } from "./config.ts";

/** A problem of a configuration as data: collected, sorted by line, rendered last. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** Machine-readable, for example CONFIG_UNKNOWN_KEY; docs/CONFIG.md lists them. */
  readonly code: string;
  /** Says what was found and what would be right; no period at the end. */
  readonly message: string;
  readonly file: string;
  /** undefined when the file as a whole is meant (it cannot be read). */
  readonly position: Position | undefined;
  /** "did you mean …" and the like, printed behind the caret. */
  readonly hint: string | undefined;
}
