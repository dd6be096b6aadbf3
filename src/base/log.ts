import { messageOf } from "./errors.ts";
import { printError } from "./standard-streams.ts";

/**
 * Operator's log on stderr, one line an event, as text or JSON.
 *
 *   2026-01-02T03:04:05.678Z warn  upstream node is down  upstream=app node=10.0.0.1:8080
 */
export type LogSeverity = "debug" | "info" | "warn" | "error";

export type LogFields = Readonly<Record<string, unknown>>;

const ORDER: Readonly<Record<LogSeverity, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A field longer than this is cut (characters): one bad value must not flood the log. */
const FIELD_LENGTH_MAX = 2000;

export class Log {
  #floor = ORDER.info;
  #format: "text" | "json" = "text";
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void = printError) {
    this.#write = write;
  }

  configure(options: { level: LogSeverity; format: "text" | "json" }): void {
    this.#floor = ORDER[options.level];
    this.#format = options.format;
  }

  /** True when a line of that severity would be written: ask before building an expensive one. */
  enabled(severity: LogSeverity): boolean {
    return ORDER[severity] >= this.#floor;
  }

  debug(message: string, fields?: LogFields): void {
    this.write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write("error", message, fields);
  }

  write(severity: LogSeverity, message: string, fields: LogFields = {}): void {
    if (!this.enabled(severity)) return;
    const time = new Date().toISOString();
    this.#write(
      this.#format === "json"
        ? `${JSON.stringify({ time, level: severity, message, ...jsonFields(fields) })}\n`
        : `${time} ${severity.padEnd(5)} ${oneLine(message)}${textFields(fields)}\n`,
    );
  }
}

function jsonFields(fields: LogFields): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    shown[name] = typeof value === "number" || typeof value === "boolean" ? value : show(value);
  }
  return shown;
}

function textFields(fields: LogFields): string {
  let text = "";
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const shown = oneLine(show(value));
    text += ` ${name}=${/[\s"=]/.test(shown) || shown === "" ? JSON.stringify(shown) : shown}`;
  }
  return text === "" ? "" : ` ${text}`;
}

function show(value: unknown): string {
  const text =
    value instanceof Error
      ? messageOf(value)
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  return text.length > FIELD_LENGTH_MAX ? `${text.slice(0, FIELD_LENGTH_MAX)}…` : text;
}

/** Control characters would let a logged value forge lines or steer a terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** The process's log. */
export const log = new Log();
