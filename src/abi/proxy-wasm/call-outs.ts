import { LIMITS } from "../../base/limits.ts";
import { callOutBytes } from "../../filter/call-out-bytes.ts";
import type {
  CallOut,
  CallOutOutcome,
  CallOutRefusal,
  CallOutRequest,
  PluginHost,
} from "../../filter/filter.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import { NO_PSEUDO_HEADERS, ResponsePseudoHeaders } from "./pseudo-headers.ts";
import { Status } from "./types.ts";

/** The call-outs of one guest that wait for an answer. */
export class CallOuts {
  readonly #host: PluginHost;
  readonly #deliver: (id: number, outcome: CallOutOutcome) => void;
  readonly #waiting = new Map<number, { call: CallOut; bytes: number }>();
  #bytes = 0;
  #nextId = 1;

  constructor(host: PluginHost, deliver: (id: number, outcome: CallOutOutcome) => void) {
    this.#host = host;
    this.#deliver = deliver;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @returns the token of the answer, never 0 and not in use; or why there will be none */
  send(request: CallOutRequest): number | CallOutRefusal {
    const bytes = callOutBytes(request);
    const tooMany = this.#waiting.size >= LIMITS.callOutsInFlightMax;
    if (tooMany || this.#bytes + bytes > LIMITS.callOutBytesInFlightMax) return "overloaded";
    const id = this.#takeId();
    const sent = this.#host.callOut(request, (outcome) => {
      if (this.#forget(id)) this.#deliver(id, outcome);
    });
    if (typeof sent === "string") return sent;
    this.#waiting.set(id, { call: sent, bytes });
    this.#bytes += bytes;
    return id;
  }

  /** As if none had ever been made: what is cancelled does not answer any more. */
  forget(): void {
    this.cancelAll();
    this.#nextId = 1;
  }

  cancelAll(): void {
    if (this.#waiting.size === 0) return; // Each exchange of a pooled guest comes by here.
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#bytes = 0;
    for (const { call } of waiting) call.cancel();
  }

  /** @returns false when nobody waits for that answer any more */
  #forget(id: number): boolean {
    this.#bytes -= this.#waiting.get(id)?.bytes ?? 0;
    return this.#waiting.delete(id);
  }

  #takeId(): number {
    let id = this.#nextId;
    while (this.#waiting.has(id)) id = next(id);
    this.#nextId = next(id);
    return id;
  }
}

const ID_MAX = 0x7fff_ffff;

function next(id: number): number {
  return id >= ID_MAX ? 1 : id + 1;
}

/** What a guest can read in `proxy_on_http_call_response`: all empty when the call failed. */
export class CallAnswer {
  readonly headers: HeaderMap | undefined;
  readonly trailers: HeaderMap | undefined;
  readonly body: Uint8Array | undefined;
  readonly status: { code: number; message: string };

  constructor(outcome: CallOutOutcome) {
    if ("error" in outcome) {
      this.status = { code: Status.BrokenConnection, message: outcome.error };
      return;
    }
    this.status = { code: Status.Ok, message: "" };
    this.headers = new HeaderMap(outcome.headers, new ResponsePseudoHeaders(outcome));
    this.body = outcome.body;
    if (outcome.trailers !== undefined) {
      this.trailers = new HeaderMap(outcome.trailers, NO_PSEUDO_HEADERS);
    }
  }

  get headerCount(): number {
    return this.headers?.count ?? 0;
  }

  get bodyBytes(): number {
    return this.body?.byteLength ?? 0;
  }

  get trailerCount(): number {
    return this.trailers?.count ?? 0;
  }
}

/** Calls `proxy_on_http_call_response`, in which the answer can be read. */
export function deliverAnswer(guest: Guest, id: number, outcome: CallOutOutcome): void {
  const answer = new CallAnswer(outcome);
  guest.answer = answer;
  guest.status = answer.status;
  const { headerCount, bodyBytes, trailerCount } = answer;
  guest.deliver("proxy_on_http_call_response", id, headerCount, bodyBytes, trailerCount);
  guest.answer = undefined;
}
