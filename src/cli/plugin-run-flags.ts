import type { FaultCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type {
  RunAnswer,
  RunCallOut,
  RunFailure,
  RunGrpc,
  RunOptions,
  RunRequest,
} from "../plugin-run/run-options.ts";
import { UsageError } from "./args.ts";
import { readBounded } from "./read-bounded.ts";

const TEXT = { type: "string" } as const;
const TEXTS = { type: "string", multiple: true } as const;

export const PLUGIN_RUN_FLAGS = {
  config: TEXT,
  "config-file": TEXT,
  "vm-config": TEXT,
  "root-id": TEXT,
  env: TEXTS,
  abi: TEXT,
  fail: TEXT,
  "filter-buffer": TEXT,
  request: TEXT,
  header: { ...TEXTS, short: "H" },
  body: { ...TEXT, short: "d" },
  "body-file": TEXT,
  chunk: TEXT,
  trailer: TEXTS,
  response: TEXT,
  "response-header": TEXTS,
  "response-body": TEXT,
  "response-body-file": TEXT,
  "response-trailer": TEXTS,
  "call-response": TEXTS,
  "grpc-response": TEXTS,
  queue: TEXTS,
  ticks: TEXT,
  "ticks-after": TEXT,
  record: TEXT,
  replay: TEXT,
} as const;

/** As parseArgs gives them. */
export type RunFlags = {
  readonly [K in keyof typeof PLUGIN_RUN_FLAGS]?: (typeof PLUGIN_RUN_FLAGS)[K] extends {
    multiple: true;
  }
    ? string[] | undefined
    : string | undefined;
};

/** @throws UsageError; Error for a file that cannot be read */
export async function runOptionsOf(flags: RunFlags): Promise<RunOptions> {
  const { abi, fail, queue = [] } = flags;
  if (abi !== undefined && abi !== "auto" && abi !== "proxy-wasm" && abi !== "http-wasm") {
    throw new UsageError(`--abi takes auto, proxy-wasm or http-wasm, not "${abi}"`);
  }
  if (fail !== undefined && fail !== "open" && fail !== "closed") {
    throw new UsageError(`--fail takes open or closed, not "${fail}"`);
  }
  count(flags, "chunk"); // Wrong also when there is nothing to cut.
  const config = await content(flags, "config");
  const upstream = await upstreamOf(flags);
  const filterBufferBytes = count(flags, "filter-buffer");
  return {
    ...(config && { config }),
    vmConfig: utf8(flags["vm-config"] ?? ""),
    rootId: flags["root-id"] ?? "",
    allow: { env: Object.fromEntries((flags.env ?? []).map((each) => assignment("env", each))) },
    abi: abi ?? "auto",
    fail: fail ?? "closed",
    ...(filterBufferBytes !== undefined && { filterBufferBytes }),
    request: await requestOf(flags),
    ...(upstream && { upstream }),
    callOuts: (flags["call-response"] ?? []).map(callOutOf),
    grpc: (flags["grpc-response"] ?? []).map(grpcOf),
    queueItems: queue.map((each) => {
      const [name, item] = assignment("queue", each);
      return { queue: latin1(name), item: latin1(item) };
    }),
    ticks: count(flags, "ticks") ?? 0,
    ticksAfter: count(flags, "ticks-after") ?? 0,
  };
}

async function requestOf(flags: RunFlags): Promise<RunRequest> {
  const bytes = await content(flags, "body");
  const line = (flags.request ?? "http://example.test/").trim().split(/\s+/);
  const [first = "", second, ...surplus] = line;
  if (surplus.length > 0) {
    throw new UsageError(`--request takes 'METHOD URL', not "${flags.request}"`);
  }
  const usual = bytes === undefined ? "GET" : "POST";
  const isLine = second !== undefined;
  const trailers = lines(flags, "trailer");
  return {
    method: latin1(isLine ? first : usual),
    url: latin1(isLine ? second : first),
    headers: lines(flags, "header"),
    ...(bytes && { body: pieces(bytes, flags) }),
    ...(trailers.length > 0 && { trailers }),
  };
}

const FAILURES: Readonly<Record<string, FaultCode>> = {
  timeout: "UPSTREAM_READ_TIMEOUT",
  reset: "UPSTREAM_RESET",
  refused: "UPSTREAM_CONNECT_FAILED",
};

/** undefined: it is told nothing. */
async function upstreamOf(flags: RunFlags): Promise<RunAnswer | RunFailure | undefined> {
  const { response } = flags;
  const bytes = await content(flags, "response-body");
  const headers = lines(flags, "response-header");
  const trailers = lines(flags, "response-trailer");
  const failure = Object.hasOwn(FAILURES, response ?? "") ? FAILURES[response ?? ""] : undefined;
  if (failure !== undefined) return { failure };
  const isTold = bytes !== undefined || headers.length + trailers.length > 0;
  if (response === undefined && !isTold) return undefined;
  return {
    status: response === undefined ? 200 : statusOf("response", response),
    headers,
    ...(bytes && { body: pieces(bytes, flags) }),
    ...(trailers.length > 0 && { trailers }),
  };
}

const CALL = /^(\S+)\s+(\S+)(?:\s([^]*))?$/;

function callOutOf(text: string): RunCallOut {
  const [, upstream = "", word = "", body] = CALL.exec(text) ?? [];
  if (upstream === "") {
    throw new UsageError(`--call-response takes 'UPSTREAM STATUS [BODY]', not "${text}"`);
  }
  if (word === "timeout") return { upstream, delayMs: LIMITS.callOutMsMax + 1 };
  if (word === "reset") return { upstream, error: "the upstream has reset the connection" };
  return {
    upstream,
    status: statusOf("call-response", word),
    ...(body !== undefined && { body: [utf8(body)] }),
  };
}

/** Status 0 brings a message of the node's; every other one, why there is none. */
function grpcOf(text: string): RunGrpc {
  const [, upstream = "", word = "", rest] = CALL.exec(text) ?? [];
  if (upstream === "") {
    throw new UsageError(`--grpc-response takes 'UPSTREAM STATUS [MESSAGE]', not "${text}"`);
  }
  if (word === "timeout") return { upstream, delayMs: LIMITS.callOutMsMax + 1 };
  const status = Number(word);
  if (!/^\d{1,2}$/.test(word) || status > GRPC_STATUS_MAX) {
    throw new UsageError(`--grpc-response takes a status from 0 to 16, not "${word}"`);
  }
  if (status > 0) return { upstream, status, message: rest ?? "" };
  return { upstream, status, ...(rest !== undefined && { messages: [utf8(rest)] }) };
}

const GRPC_STATUS_MAX = 16;

function statusOf(flag: string, text: string): number {
  const status = Number(text);
  if (/^\d{3}$/.test(text) && status >= 200 && status <= 599) return status;
  throw new UsageError(`--${flag} takes a status from 200 to 599, not "${text}"`);
}

function lines(
  flags: RunFlags,
  flag: "header" | "trailer" | "response-header" | "response-trailer",
): [string, string][] {
  return (flags[flag] ?? []).map((text) => {
    const at = text.indexOf(":");
    if (at <= 0) throw new UsageError(`--${flag} takes 'NAME: VALUE', not "${text}"`);
    return [latin1(text.slice(0, at).trim()), latin1(text.slice(at + 1).trim())];
  });
}

function assignment(flag: "env" | "queue", text: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`--${flag} takes NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A number of bytes or times, from 1; ticks may be 0. */
function count(
  flags: RunFlags,
  flag: "chunk" | "ticks" | "ticks-after" | "filter-buffer",
): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const isTick = flag.startsWith("ticks");
  const max = isTick ? LIMITS.runTicksMax : LIMITS.transcriptBytesMax;
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number <= max && (isTick || number > 0)) return number;
  throw new UsageError(`--${flag} takes a number up to ${max}, not "${text}"`);
}

function pieces(bytes: Uint8Array, flags: RunFlags): Uint8Array[] {
  const size = count(flags, "chunk") ?? bytes.byteLength;
  const cut: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; at += size) cut.push(bytes.subarray(at, at + size));
  return cut;
}

/** The flag's text, or the bytes of the file that its other form names. */
async function content(
  flags: RunFlags,
  flag: "config" | "body" | "response-body",
): Promise<Uint8Array | undefined> {
  const file = flags[`${flag}-file`];
  const text = flags[flag];
  if (file === undefined) return text === undefined ? undefined : utf8(text);
  if (text !== undefined) {
    throw new UsageError(`--${flag} and --${flag}-file mean the same: give one of them`);
  }
  return readBounded(file, LIMITS.guestBytesMax);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text's bytes in UTF-8, one char for each, as headers hold them. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
