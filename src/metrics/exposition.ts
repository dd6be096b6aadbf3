/**
 * The Prometheus text format, version 0.0.4:
 *
 *   # HELP name what it is
 *   # TYPE name counter
 *   name{label="value"} 1
 *
 * The lines of one family stand together, and no family occurs twice.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Family {
  /** `[a-zA-Z_:][a-zA-Z0-9_:]*` */
  readonly name: string;
  readonly type: "counter" | "gauge" | "summary";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Behind the family's name: "_sum" and "_count" of a summary. */
  readonly suffix?: "_sum" | "_count";
  /** In the order in which they are written; names as of families, without colons. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | bigint;
}

/** A family without samples is left out. */
export function exposition(families: Iterable<Family>): string {
  let text = "";
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const { suffix = "", labels, value } of samples) {
      text += `${name}${suffix}${labelsOf(labels)} ${numberOf(value)}\n`;
    }
  }
  return text;
}

function labelsOf(labels: Sample["labels"]): string {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return written.length === 0 ? "" : `{${written.join(",")}}`;
}

/** A lone surrogate has no UTF-8, and one bad byte makes a scraper drop the page. */
function escapeLabel(value: string): string {
  const text = value.toWellFormed();
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.toWellFormed().replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberOf(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
