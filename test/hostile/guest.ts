/**
 * What one hostile guest is, how it is configured, and what must be true of each of its exchanges.
 */
export type Instances = "shared" | "per_request";

export interface HostileGuest {
  /** In lower case and dashes: also its plugin's name and its route's host. */
  readonly name: string;
  /** Text for assemble(). */
  readonly wat: string;
  /**
   * What its attacking exchanges may end in: "200" (and the answer is right), "503 FILTER_FAILED",
   * "418" (its own reply), "reset" (closed without a byte), "cut" (closed in mid-answer).
   */
  readonly expect: readonly string[];
  /** Default: both. */
  readonly instances?: readonly Instances[];
  /** More settings of its plugin: YAML in flow style, without braces. */
  readonly settings?: string;
  readonly request?: RequestKind;
  /** The client goes away after this many ms without an answer; its verdict is then "left". */
  readonly leavesAfterMs?: number;
  /** One attack takes so long that no more of them fit into a test. */
  readonly runsMax?: number;
  /** Answers come late: this many exchanges in all, side by side, whatever the others do. */
  readonly slowRuns?: number;
  /** What the node must have got as the body, when it is not what the client has sent. */
  readonly bodyAtNode?: string;
  /** What the client must get as the body, when it is not the node's echo. Latin-1. */
  readonly bodyAtClient?: string;
}

/**
 * get       without a body
 * post      a body of POST_BODY
 * trailers  the same, chunked, with trailers both ways
 */
export type RequestKind = "get" | "post" | "trailers";

export const POST_BODY = "0123456789abcdef".repeat(1024);

/** Loops are stopped early, so that thousands of them fit into a test. */
export const SHORT = "limits: { deadline: 1ms }";
export const DEADLINE = ["503 FILTER_DEADLINE"];
export const FAILED = ["503 FILTER_FAILED"];
/** A flood of host calls may be stopped by either. */
export const FLOODED = ["503 FILTER_DEADLINE", "503 FILTER_HOST_CALLS"];
/** A recursion ends at the stack's end or at the deadline, whichever comes first. */
export const TOO_DEEP = ["503 FILTER_FAILED", "503 FILTER_DEADLINE"];
export const SERVED = ["200"];

const CALLBACKS = {
  context_create: { parameters: ["id", "parent"], answer: undefined },
  vm_start: { parameters: ["id", "size"], answer: 1 },
  configure: { parameters: ["id", "size"], answer: 1 },
  tick: { parameters: ["id"], answer: undefined },
  queue_ready: { parameters: ["id", "queue"], answer: undefined },
  http_call_response: {
    parameters: ["id", "token", "headers", "bytes", "trailers"],
    answer: undefined,
  },
  grpc_receive_initial_metadata: { parameters: ["id", "token", "count"], answer: undefined },
  grpc_receive: { parameters: ["id", "token", "size"], answer: undefined },
  grpc_receive_trailing_metadata: { parameters: ["id", "token", "count"], answer: undefined },
  grpc_close: { parameters: ["id", "token", "code"], answer: undefined },
  request_headers: { parameters: ["id", "count", "end"], answer: 0 },
  request_body: { parameters: ["id", "size", "end"], answer: 0 },
  request_trailers: { parameters: ["id", "count"], answer: 0 },
  response_headers: { parameters: ["id", "count", "end"], answer: 0 },
  response_body: { parameters: ["id", "size", "end"], answer: 0 },
  response_trailers: { parameters: ["id", "count"], answer: 0 },
  log: { parameters: ["id"], answer: undefined },
  done: { parameters: ["id"], answer: 1 },
  delete: { parameters: ["id"], answer: undefined },
} as const satisfies Record<string, { parameters: readonly string[]; answer: number | undefined }>;

export type CallbackName = keyof typeof CALLBACKS;

/** A callback that does this in attacking exchanges; locals $i, $j and $k (i64) are there. */
export function attack(name: CallbackName, body: string, answer?: number): string {
  const returns = answer === undefined ? "" : `(return #${answer})`;
  return callback(name, `(if (call $armed) (then ${body} ${returns}))`);
}

/** A callback that does this every time. @param answer what it returns, default "go on" */
export function callback(name: CallbackName, body: string, answer?: number): string {
  const { parameters, answer: usual } = CALLBACKS[name];
  const list = parameters.map((parameter) => `(param $${parameter} i32)`).join(" ");
  const result = usual === undefined ? "" : "(result i32)";
  const returned = usual === undefined ? "" : `#${answer ?? usual}`;
  return `(func (export "proxy_on_${name}") ${list} ${result}
    (local $i i32) (local $j i32) (local $k i64) ${body} ${returned})`;
}

/** A reply of that status without anything else. */
export function reply(status: number): string {
  return `(drop (call $proxy_send_local_response #${status} #0 #0 #0 #0 #0 #0 #-1))`;
}

interface Handlers {
  /** Of handle_request and handle_response; locals $i, $j and $k (i64) are there. */
  readonly request?: string;
  readonly response?: string;
  /** What handle_request answers; what `$wants` has found wrong is answered with 0. */
  readonly next?: 0 | 1;
}

/** An http-wasm guest that does this in attacking exchanges. */
export function handlers({ request = "", response = "", next = 1 }: Handlers): string {
  const locals = "(local $i i32) (local $j i32) (local $k i64)";
  const answer = request.includes("$wants")
    ? `(return (select (i64.const 0) (i64.const ${next}) (global.get $found)))`
    : `(return (i64.const ${next}))`;
  return `(func (export "handle_request") (result i64) ${locals}
      (if (call $attacked) (then ${request} ${answer}))
      (i64.const 1))
    (func (export "handle_response") (param $exchange i32) (param $error i32) ${locals}
      (if (call $attacked) (then ${response})))`;
}
