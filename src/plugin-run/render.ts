import { isText, type Shape } from "./shape.ts";
import { callbackShape, callShape } from "./shapes.ts";
import type {
  CallEvent,
  Pairs,
  RunEvent,
  SentMessage,
  Transcript,
  Value,
  Values,
} from "./transcript.ts";

/** chars of one text that are shown; the rest is counted. */
const SHOWN_MAX = 256;

/** Who reads it: text of a transcript, a line for each event, what has left at the end. */
export function renderTranscript(transcript: Transcript): string {
  const lines = transcript.events.map(renderEvent);
  const { request, response, refused } = transcript;
  if (refused !== undefined) lines.push("", `refused: ${line(refused)}`);
  else {
    lines.push("", request === undefined ? "to upstream: nothing" : "to upstream:");
    if (request !== undefined) lines.push(...renderRequest(request));
    lines.push("", response === undefined ? "to client: nothing" : "to client:");
    if (response !== undefined) lines.push(...renderResponse(response));
  }
  return `${lines.join("\n")}\n`;
}

/** One line; two spaces for each level of depth. */
export function renderEvent(event: RunEvent): string {
  const describe = DESCRIBE[event.kind] as (event: RunEvent) => string;
  return "  ".repeat(event.depth) + describe(event);
}

const DESCRIBE: { [K in RunEvent["kind"]]: (event: RunEvent & { kind: K }) => string } = {
  callback: ({ name, args }) => `> ${name}(${renderValues(args, callbackShape(name)?.ins)})`,

  return({ name, result, failed }) {
    if (failed !== undefined) return `< ${name} failed: ${line(failed)}`;
    return result === null ? `< ${name}` : `< ${name} = ${renderValue(result, false)}`;
  },

  call({ module, name, args, result, outs, failed }) {
    const shape = callShape(module, name);
    const asked = renderAsked({ module, name, args });
    if (failed !== undefined) return `${asked} failed: ${line(failed)}`;
    const given = renderValues(outs, shape.outs);
    const answer = shape.result === "void" ? "" : ` = ${renderValue(result, false)}`;
    return `${asked}${answer}${given === "" ? "" : ` -> ${given}`}`;
  },

  log: ({ level, message }) => `log ${level}: ${line(message)}`,

  note: ({ text }) => `* ${line(text)}`,

  sent({ to, part, text, headers }) {
    const words = [`=> ${to} ${part}`];
    if (text !== "") words.push(part === "body" ? quote(text) : line(text));
    if (headers !== undefined) words.push(renderPairs(headers));
    return words.join(" ");
  },
};

/** What a call asks for, without what it is answered. */
export function renderAsked({ module, name, args }: Asked): string {
  return `${name}(${renderValues(args, callShape(module, name).ins)})`;
}

export type Asked = Pick<CallEvent, "module" | "name" | "args">;

function renderValues(values: Values, fields: Shape["ins"] | undefined): string {
  return Object.entries(values)
    .map(([name, value]) => {
      const type = fields?.find((field) => field.name === name)?.type;
      return `${name}=${renderValue(value, type === undefined || isText(type))}`;
    })
    .join(", ");
}

function renderValue(value: Value, isQuoted: boolean): string {
  if (value === null) return "beyond-memory";
  if (typeof value === "string") return isQuoted ? quote(value) : line(value);
  if (typeof value === "object") return renderPairs(value);
  return String(value);
}

function renderPairs(pairs: Pairs): string {
  const shown = pairs.map(([name, value]) => `${token(name)}: ${quote(value)}`);
  return `{${shown.join(", ")}}`;
}

function token(name: string): string {
  return /^[!-9;-~]+$/.test(name) || name.startsWith(":") ? line(name) : quote(name);
}

/** In quotes, as UTF-8 where it is that, and cut when it is long. */
export function quote(text: string): string {
  const shown = text.length > SHOWN_MAX ? text.slice(0, SHOWN_MAX) : text;
  const more = text.length > SHOWN_MAX ? `… (${text.length} bytes)` : "";
  const decoded = utf8(shown);
  const escaped = decoded.replace(/["\\]/g, (char) => `\\${char}`);
  return `"${line(escaped, decoded === shown)}"${more}`;
}

/** latin-1 bytes as the text that they are, when they are UTF-8. */
function utf8(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  const decoded = bytes.toString("utf8");
  return Buffer.from(decoded, "utf8").equals(bytes) ? decoded : text;
}

/** Control characters would break the line or steer a terminal. @param ascii nothing but that */
function line(text: string, ascii = false): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const pattern = ascii ? /[\u0000-\u001f\u007f-\u00ff]/g : /[\u0000-\u001f\u007f-\u009f]/g;
  return text.replace(pattern, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    if (char === "\t") return "\\t";
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function renderRequest(message: SentMessage): string[] {
  const { method, scheme, authority, target } = message;
  return [`  ${line(method)} ${scheme}://${line(authority)}${line(target)}`, ...rest(message)];
}

function renderResponse(message: SentMessage): string[] {
  return [`  ${message.status}`, ...rest(message)];
}

function rest({ headers, chunks, trailers, complete }: SentMessage): string[] {
  const lines = headers.map(([name, value]) => `  ${line(name)}: ${line(utf8(value))}`);
  const body = chunks.join("");
  if (body !== "") lines.push(`  body (${body.length} bytes): ${quote(body)}`);
  for (const [name, value] of trailers ?? []) {
    lines.push(`  trailer ${line(name)}: ${line(utf8(value))}`);
  }
  if (!complete) lines.push("  broken off");
  return lines;
}
