import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/**
 * What ended a guest's call early.
 *
 * trap       the engine stopped it: unreachable, division by zero, an address out of bounds, …
 * stack      it recursed until the stack was full
 * exit       it called proc_exit
 * exception  it threw a Wasm exception that nobody caught
 * deadline   its time was over
 * fuel       it has used up the instructions that it may
 * host calls it has called the host more often than one callback may
 * host       a host function threw: our own fault
 */
export type TrapKind =
  | "trap"
  | "stack"
  | "exit"
  | "exception"
  | "deadline"
  | "fuel"
  | "host calls"
  | "host";

export interface Trap {
  readonly kind: TrapKind;
  /** For the operator's log. */
  readonly message: string;
}

/** Thrown by `proc_exit`, which does not return to the guest. */
export class GuestExit extends Error {
  override readonly name = "GuestExit";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`the guest exited with code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Thrown by host functions when the guest must not go on. */
export class GuestStopped extends Error {
  override readonly name = "GuestStopped";
  readonly kind: "deadline" | "host calls";

  constructor(kind: "deadline" | "host calls") {
    super(`the guest is stopped: ${kind}`);
    this.kind = kind;
  }
}

/**
 * Thrown by host functions of an ABI that has no statuses: the guest has asked for what cannot be.
 */
export class GuestMisuse extends Error {
  override readonly name = "GuestMisuse";
}

/**
 * Tells from what a guest call threw why it ended. After any of these the guest is unusable.
 * @param over what its meter says: a guest that is out of time is stopped by a trap like any other
 */
export function classifyTrap(error: unknown, over?: "deadline" | "fuel"): Trap {
  if (error instanceof GuestStopped) return stopped(error.kind);
  if (over !== undefined && error instanceof WebAssembly.RuntimeError) return stopped(over);
  if (error instanceof GuestMisuse) return { kind: "trap", message: error.message };
  if (error instanceof GuestExit) return { kind: "exit", message: error.message };
  if (error instanceof WebAssembly.RuntimeError) {
    return { kind: "trap", message: `trap: ${withoutSource(error.message)}` };
  }
  // The engine reports a full stack this way, whether the last frame was the guest's or the host's.
  if (error instanceof RangeError && error.message.includes("call stack")) {
    return { kind: "stack", message: "stack overflow: the guest recursed too deep" };
  }
  if (isWasmException(error)) {
    return { kind: "exception", message: "the guest threw an exception that it did not catch" };
  }
  return { kind: "host", message: `host function failed: ${messageOf(error)}` };
}

function stopped(kind: keyof typeof STOPPED): Trap {
  return { kind, message: STOPPED[kind] };
}

const STOPPED = {
  deadline: "it has used up its time",
  fuel: "it has used up its instructions (limits.fuel)",
  "host calls": `more than ${LIMITS.guestHostCallsMax} host calls in one callback`,
} as const;

/** JSC appends the JavaScript that made the call. */
function withoutSource(message: string): string {
  return message.replace(/ \(evaluating '.*$/s, "");
}

function isWasmException(error: unknown): boolean {
  const { Exception } = WebAssembly as { Exception?: new (...args: never) => object };
  return Exception !== undefined && error instanceof Exception;
}
