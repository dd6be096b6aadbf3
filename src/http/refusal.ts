import type { FaultCode } from "../base/errors.ts";

/**
 * Why a part of a message head is refused, as data: a front, the upstream client and an ABI each
 * answer it in their own way.
 */
export interface Refusal {
  readonly ok: false;
  readonly fault: FaultCode;
  /** What was found and what would be right, to stand behind a colon; no period at the end. */
  readonly problem: string;
}

export function refuse(fault: FaultCode, problem: string): Refusal {
  return { ok: false, fault, problem };
}

/** A client's text, quoted and cut for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
