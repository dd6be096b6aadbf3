import { messageOf } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { type FieldType, isText, type Shape, toNumber } from "./shape.ts";
import { callbackShape, knownCallShape } from "./shapes.ts";
import type { RunEvent, Transcript, Value } from "./transcript.ts";

/** Of the file's form: another one is not read. */
const FORM = 1;

/** What a replay needs of a run. */
export interface Recording {
  readonly events: readonly RunEvent[];
  /** Callbacks that the recorded module exports. */
  readonly callbacks: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly guests: number;
}

/** A file that is no recording, or not one of this form. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

/** JSON lines: what was run, then an event in each line. It holds all that the plugin was given. */
export function writeRecording(transcript: Transcript): string {
  const { events, callbacks, environment, guests } = transcript;
  const head = {
    sluice_transcript: FORM,
    version: VERSION,
    events: events.length,
    guests,
    callbacks,
    environment,
  };
  return [head, ...events].map((each) => `${JSON.stringify(each)}\n`).join("");
}

/** @throws RecordingError with the line and what is wrong in it */
export function readRecording(text: string): Recording {
  const lines = text.replace(/\n$/, "").split("\n");
  const head = parseLine(lines[0] ?? "", 1);
  const form = head["sluice_transcript"];
  if (form === undefined) throw wrong(1, "it is no transcript of sluice plugin run --record");
  if (form !== FORM) {
    const whose = `it is of form ${JSON.stringify(form)}, written by ${String(head["version"])}`;
    throw wrong(1, `${whose}, and this is ${VERSION}, which reads form ${FORM}: record it again`);
  }
  const { callbacks, environment, guests } = head;
  if (!isTexts(callbacks) || !isRecord(environment) || typeof guests !== "number") {
    throw wrong(1, "callbacks, environment or guests are missing");
  }
  if (head["events"] !== lines.length - 1) {
    const found = `${String(head["events"])} events were written, ${lines.length - 1} are there`;
    throw wrong(lines.length, `${found}: the file is cut off or was changed`);
  }
  const events = lines.slice(1).map((line, index) => {
    const event = parseLine(line, index + 2);
    const problem = problemOf(event);
    if (problem !== undefined) throw wrong(index + 2, problem);
    return event as unknown as RunEvent;
  });
  return { events, callbacks, environment: environment as Record<string, string>, guests };
}

type Parsed = Readonly<Record<string, unknown>>;

function parseLine(line: string, number: number): Parsed {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw wrong(number, `it is no JSON: ${messageOf(error)}`);
  }
  if (!isRecord(parsed)) throw wrong(number, "it is no JSON object");
  return parsed;
}

const KINDS: ReadonlySet<unknown> = new Set(["callback", "return", "call", "log", "note", "sent"]);

function problemOf(event: Parsed): string | undefined {
  const { kind, depth, name, args, outs, failed } = event;
  if (!KINDS.has(kind)) return `there is no kind of event ${JSON.stringify(kind)}`;
  if (typeof depth !== "number") return "depth is no number";
  if (kind !== "callback" && kind !== "return" && kind !== "call") return undefined;
  if (typeof name !== "string") return "name is no text";
  const shape =
    kind === "call" ? knownCallShape(String(event["module"]), name) : callbackShape(name);
  if (shape === undefined) return `no ${kind} ${JSON.stringify(name)} is known`;
  if (failed !== undefined && typeof failed !== "string") return "failed is no text";
  if (kind !== "callback" && !isOf(shape.result, event["result"])) return "result is no answer";
  if (kind !== "return" && !fits(args, shape.ins)) return `args are not those of ${name}`;
  const isWritten = isRecord(outs) && Object.keys(outs).length > 0;
  if (kind === "call" && (!isRecord(outs) || (isWritten && !fits(outs, shape.outs)))) {
    return `outs are not those of ${name}`;
  }
  return undefined;
}

/** Each of the fields and nothing else: an older form of a function would be replayed wrongly. */
function fits(values: unknown, fields: Shape["ins"]): boolean {
  if (!isRecord(values)) return false;
  const names = fields.filter(({ type }) => type !== "hidden").map((field) => field.name);
  const found = Object.keys(values);
  if (found.length !== names.length || !names.every((name) => found.includes(name))) return false;
  return fields.every(({ name, type }) => type === "hidden" || isOf(type, values[name]));
}

/** Whether a replay can hand it to a guest. */
function isOf(type: FieldType | "void", value: unknown): boolean {
  if (value === null) return true;
  if (type === "pairs" && Array.isArray(value)) {
    return value.every((pair) => isTexts(pair) && pair.length === 2);
  }
  if (isText(type)) return typeof value === "string";
  if (!["string", "number", "boolean"].includes(typeof value)) return false;
  try {
    toNumber(type, value as Value);
    return true;
  } catch {
    return false; // A word that nobody knows, or no number.
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(line: number, what: string): RecordingError {
  return new RecordingError(`Cannot replay this transcript: line ${line}: ${what}`);
}
