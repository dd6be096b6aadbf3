import { LIMITS } from "../../base/limits.ts";
import type { CallOutRefusal, GrpcEvents, GrpcRequest, GrpcStream } from "../../filter/filter.ts";
import type { HeaderList } from "../../http/headers.ts";
import type { CallbackName } from "./exports.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import { NO_PSEUDO_HEADERS } from "./pseudo-headers.ts";
import { Status } from "./types.ts";

/** One call or stream that is under way. */
interface Live {
  readonly isCall: boolean;
  stream: GrpcStream | undefined;
  initial: HeaderMap | undefined;
  trailing: HeaderMap | undefined;
  /** Of a call: its answer, which waits for the status. */
  answer: Uint8Array | undefined;
  answers: number;
}

/** What a guest can read in a callback of a call or stream. */
export interface GrpcReceived {
  readonly initial: HeaderMap | undefined;
  readonly trailing: HeaderMap | undefined;
  readonly message: Uint8Array | undefined;
}

/**
 * The gRPC calls and streams of one guest. Calls have odd ids, streams even ones, as in Envoy.
 *
 *   call    receive                                      or  close with the error
 *   stream  initial metadata, receive …, trailing metadata,  close
 *
 * A call that succeeds is not closed as well: Rust's SDK has forgotten it by then, and panics.
 */
export class GrpcCalls {
  /** Of the callback that runs. */
  received: GrpcReceived | undefined;
  readonly #guest: Guest;
  readonly #live = new Map<number, Live>();
  #nextCallId = FIRST_CALL_ID;
  #nextStreamId = FIRST_STREAM_ID;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  get size(): number {
    return this.#live.size;
  }

  /** @returns the id of the call or stream, or why there is none */
  begin(request: GrpcRequest): number | CallOutRefusal {
    const bytes = request.message?.byteLength ?? 0;
    if (this.#live.size >= LIMITS.grpcStreamsMax || !this.#hasRoomFor(bytes)) return "overloaded";
    const isCall = request.message !== undefined;
    const live: Live = {
      isCall,
      stream: undefined,
      initial: undefined,
      trailing: undefined,
      answer: undefined,
      answers: 0,
    };
    const id = isCall ? this.#takeCallId() : this.#takeStreamId();
    const stream = this.#guest.resources.host.grpc(request, this.#eventsOf(id, live));
    if (typeof stream === "string") return stream;
    live.stream = stream;
    this.#live.set(id, live);
    return id;
  }

  /**
   * @returns BadArgument for a call, for a side that is closed, and for more than may wait to be
   *   sent: the stream goes on then; NotFound
   */
  send(id: number, message: Uint8Array, end: boolean): Status {
    const live = this.#live.get(id);
    if (live === undefined) return Status.NotFound;
    if (live.isCall) return Status.BadArgument;
    const sent = this.#hasRoomFor(message.byteLength) ? live.stream?.send(message, end) : "full";
    if (sent === "full") this.#guest.resources.log.warnOnce("grpc full", FULL);
    return sent === "sent" ? Status.Ok : Status.BadArgument;
  }

  /** Nothing follows for that id. @returns NotFound */
  cancel(id: number): Status {
    const live = this.#live.get(id);
    if (live === undefined) return Status.NotFound;
    this.#live.delete(id);
    live.stream?.cancel();
    return Status.Ok;
  }

  /** Closes this side of a stream, whose answer still comes; cancels a call. @returns NotFound */
  close(id: number): Status {
    const live = this.#live.get(id);
    if (live === undefined) return Status.NotFound;
    if (live.isCall) return this.cancel(id);
    live.stream?.finish();
    return Status.Ok;
  }

  /** As if none had ever been made. */
  forget(): void {
    this.cancelAll();
    this.received = undefined;
    this.#nextCallId = FIRST_CALL_ID;
    this.#nextStreamId = FIRST_STREAM_ID;
  }

  cancelAll(): void {
    if (this.#live.size === 0) return; // Each exchange of a pooled guest comes by here.
    const all = [...this.#live.values()];
    this.#live.clear();
    for (const { stream } of all) stream?.cancel();
  }

  #eventsOf(id: number, live: Live): GrpcEvents {
    return {
      initialMetadata: (list) => {
        live.initial = mapOf(list);
        this.#tell(id, live, "proxy_on_grpc_receive_initial_metadata", list.size);
      },
      message: (bytes) => {
        if (live.isCall) this.#keepAnswer(live, bytes);
        else this.#tell(id, live, "proxy_on_grpc_receive", bytes.byteLength, bytes);
      },
      trailingMetadata: (list) => {
        live.trailing = mapOf(list);
        this.#tell(id, live, this.#trailingName(), list.size);
      },
      closed: ({ code, message }) => this.#close(id, live, code, message),
    };
  }

  #keepAnswer(live: Live, bytes: Uint8Array): void {
    live.answer = bytes;
    live.answers++;
  }

  /** Later, when somebody is inside the guest; not at all when the id has been cancelled. */
  #tell(id: number, live: Live, name: CallbackName, value: number, message?: Uint8Array): void {
    if (live.isCall) return;
    this.#guest.whenIdle(() => {
      if (this.#live.get(id) === live) this.#deliver(id, live, name, value, message);
    });
  }

  #close(id: number, live: Live, code: number, message: string): void {
    this.#guest.whenIdle(() => {
      if (this.#live.get(id) !== live) return;
      this.#live.delete(id);
      const isAnswered = live.isCall && code === 0;
      if (isAnswered && live.answers !== 1) {
        this.#closed(id, live, INTERNAL, `a call has one answer, this one has ${live.answers}`);
      } else if (isAnswered) {
        this.#guest.status = { code: 0, message: "" };
        const bytes = live.answer ?? new Uint8Array();
        this.#deliver(id, live, "proxy_on_grpc_receive", bytes.byteLength, bytes);
      } else {
        this.#closed(id, live, code, message);
      }
    });
  }

  #closed(id: number, live: Live, code: number, message: string): void {
    this.#guest.status = { code, message };
    this.#deliver(id, live, "proxy_on_grpc_close", code);
  }

  #deliver(id: number, live: Live, name: CallbackName, value: number, message?: Uint8Array): void {
    this.received = { initial: live.initial, trailing: live.trailing, message };
    this.#guest.deliver(name, id, value);
    this.received = undefined;
  }

  /** AssemblyScript's SDK spells it in its own way. */
  #trailingName(): CallbackName {
    const misspelt = "proxy_on_grpc_trailing_metadata";
    const name = "proxy_on_grpc_receive_trailing_metadata";
    return this.#guest.exports[name] === undefined ? misspelt : name;
  }

  #hasRoomFor(bytes: number): boolean {
    let unsent = bytes;
    for (const { stream } of this.#live.values()) unsent += stream?.unsentBytes ?? 0;
    return unsent <= LIMITS.grpcUnsentBytesTotalMax;
  }

  #takeCallId(): number {
    let id = this.#nextCallId;
    while (this.#live.has(id)) id = idAfter(id, FIRST_CALL_ID);
    this.#nextCallId = idAfter(id, FIRST_CALL_ID);
    return id;
  }

  #takeStreamId(): number {
    let id = this.#nextStreamId;
    while (this.#live.has(id)) id = idAfter(id, FIRST_STREAM_ID);
    this.#nextStreamId = idAfter(id, FIRST_STREAM_ID);
    return id;
  }
}

const FIRST_CALL_ID = 1;
const FIRST_STREAM_ID = 2;
/** Guests take ids as signed or unsigned 32-bit integers; below this both agree. */
const ID_MAX = 0x7fff_ffff;

function idAfter(id: number, first: number): number {
  return id + 2 > ID_MAX ? first : id + 2;
}

/** gRPC's code for an answer that breaks its rules. */
const INTERNAL = 13;

function mapOf(list: HeaderList): HeaderMap {
  return new HeaderMap(list, NO_PSEUDO_HEADERS);
}

const FULL =
  "proxy_grpc_send has no effect while too many bytes wait to be sent: at most " +
  `${LIMITS.grpcUnsentBytesMax} of one stream and ${LIMITS.grpcUnsentBytesTotalMax} of all`;
