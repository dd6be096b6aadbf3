/**
 * What happened in a run, in order. Text is latin-1 as the guest wrote it: one char is one byte.
 *
 *   callback proxy_on_request_headers             depth 0
 *     call   proxy_get_header_map_value           depth 1
 *     call   proxy_log                            depth 1
 *       log  info "hello"                         depth 2
 *   return   proxy_on_request_headers             depth 0
 */
export type RunEvent = CallbackEvent | ReturnEvent | CallEvent | LogEvent | SentEvent | NoteEvent;

/**
 * Text, a word of the ABI ("NotFound"), a number, header pairs; a 64-bit integer is decimal text.
 * null: an address beyond the memory, or no value.
 */
export type Value = string | number | boolean | null | Pairs;
export type Pairs = readonly (readonly [name: string, value: string])[];
export type Values = Readonly<Record<string, Value>>;

/** The host enters the guest. */
export interface CallbackEvent {
  readonly kind: "callback";
  readonly depth: number;
  readonly name: string;
  readonly args: Values;
}

export interface ReturnEvent {
  readonly kind: "return";
  readonly depth: number;
  readonly name: string;
  /** null: the export answers nothing. */
  readonly result: Value;
  /** Why it has not returned but was ended. */
  readonly failed?: string;
}

/** The guest calls the host. */
export interface CallEvent {
  readonly kind: "call";
  readonly depth: number;
  /** "env", "wasi_snapshot_preview1", … */
  readonly module: string;
  readonly name: string;
  readonly args: Values;
  /** A status by its name where the function answers one. */
  result: Value;
  /** What it has written into the guest's memory. */
  outs: Values;
  failed?: string;
}

/** A line that reaches the operator's log. */
export interface LogEvent {
  readonly kind: "log";
  readonly depth: number;
  readonly level: string;
  readonly message: string;
}

/** Something leaves towards the upstream, or towards the client. */
export interface SentEvent {
  readonly kind: "sent";
  readonly depth: number;
  readonly to: "upstream" | "client";
  readonly part: "head" | "body" | "end" | "failure";
  /** "POST http://a.test/x", "200", the bytes of a chunk, or what broke it off. */
  readonly text: string;
  /** Of the head, or trailers of the end. */
  readonly headers?: Pairs;
}

/** What the run itself does: time passes, a call-out is answered. */
export interface NoteEvent {
  readonly kind: "note";
  readonly depth: number;
  readonly text: string;
}

/** A message as it has left. */
export interface SentMessage {
  /** Request only. */
  method: string;
  scheme: string;
  authority: string;
  target: string;
  /** Response only; 0 for a request. */
  status: number;
  headers: Pairs;
  /** Chunks as they left, latin-1. */
  chunks: string[];
  trailers: Pairs | undefined;
  /** It has left to its end. */
  complete: boolean;
}

export interface Transcript {
  readonly events: readonly RunEvent[];
  /** The last one that went to the upstream; undefined: none did. */
  readonly request: SentMessage | undefined;
  /** undefined: the plugin was refused, and there was no exchange. */
  readonly response: SentMessage | undefined;
  /** Why the plugin could not be started. */
  readonly refused: string | undefined;
  /** Callbacks that were ended by a trap or a bound, "NAME: why". */
  readonly failures: readonly string[];
  /** How many guests have run: more than one when one was copied or started again. */
  readonly guests: number;
  /** Callbacks that the module exports. */
  readonly callbacks: readonly string[];
  /** What the plugin was granted of it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The calls of one host function, for tests. */
export function callsOf(transcript: Transcript, name: string): CallEvent[] {
  return transcript.events.filter(
    (event) => event.kind === "call" && event.name === name,
  ) as CallEvent[];
}

/** The body of a message as text, one char for each byte. */
export function bodyOf(message: SentMessage | undefined): string {
  return message?.chunks.join("") ?? "";
}
