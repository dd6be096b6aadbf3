import { LIMITS } from "../../base/limits.ts";
import type { CallOutRefusal, GrpcRequest } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import { grpcUpstreamOf } from "./grpc-service.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import { isTarget } from "./header-rules.ts";
import { decodePairs } from "./pairs.ts";
import { NO_PSEUDO_HEADERS } from "./pseudo-headers.ts";
import { Status } from "./types.ts";

/** A window of the guest's memory: address and length. */
type Window = readonly [ptr: number, byteLength: number];

/** Calls and streams of gRPC; their callbacks come later and in the root context. */
export function grpcFunctions(guest: Guest) {
  return {
    /**
     * One message each way: `proxy_on_grpc_receive` brings the answer, `proxy_on_grpc_close` an
     * error instead.
     * @param timeoutMs 0: the gateway's own bound
     * @returns ParseFailure for what is malformed, unknown or not granted; InternalFailure when too
     *   many are under way
     */
    proxy_grpc_call(
      upstreamPtr: number,
      upstreamLength: number,
      servicePtr: number,
      serviceLength: number,
      methodPtr: number,
      methodLength: number,
      metadataPtr: number,
      metadataLength: number,
      messagePtr: number,
      messageLength: number,
      timeoutMs: number,
      resultPtr: number,
    ): Status {
      return begin(guest, resultPtr, {
        upstream: [upstreamPtr, upstreamLength],
        service: [servicePtr, serviceLength],
        method: [methodPtr, methodLength],
        metadata: [metadataPtr, metadataLength],
        message: [messagePtr, messageLength],
        timeoutMs,
      });
    },

    /**
     * Any number of messages each way, sent by `proxy_grpc_send`; it lasts until it is ended.
     * @returns as above
     */
    proxy_grpc_stream(
      upstreamPtr: number,
      upstreamLength: number,
      servicePtr: number,
      serviceLength: number,
      methodPtr: number,
      methodLength: number,
      metadataPtr: number,
      metadataLength: number,
      resultPtr: number,
    ): Status {
      return begin(guest, resultPtr, {
        upstream: [upstreamPtr, upstreamLength],
        service: [servicePtr, serviceLength],
        method: [methodPtr, methodLength],
        metadata: [metadataPtr, metadataLength],
        message: undefined,
        timeoutMs: 0,
      });
    },

    /**
     * @param end not 0: nothing follows from this side
     * @returns BadArgument for a call, a closed side, a message that is too long or would have to
     *   wait behind too many others: nothing has happened then; NotFound
     */
    proxy_grpc_send(id: number, messagePtr: number, messageLength: number, end: number): Status {
      const message = guest.memory.read(messagePtr, messageLength);
      if (message === undefined) return Status.InvalidMemoryAccess;
      if (message.byteLength > LIMITS.grpcMessageBytesMax) return Status.BadArgument;
      return guest.grpc.send(id >>> 0, message, end !== 0);
    },

    /** Nothing more comes for that id. @returns NotFound */
    proxy_grpc_cancel: (id: number): Status => guest.grpc.cancel(id >>> 0),

    /** Ends this side of a stream; the node's may go on. A call it cancels. @returns NotFound */
    proxy_grpc_close: (id: number): Status => guest.grpc.close(id >>> 0),
  };
}

interface Parts {
  readonly upstream: Window;
  readonly service: Window;
  readonly method: Window;
  readonly metadata: Window;
  readonly message: Window | undefined;
  readonly timeoutMs: number;
}

function begin(guest: Guest, resultPtr: number, parts: Parts): Status {
  const { memory } = guest;
  const windows = [parts.upstream, parts.service, parts.method, parts.metadata];
  if (parts.message !== undefined) windows.push(parts.message);
  const isReadable = windows.every((window) => memory.contains(...window));
  if (!isReadable || !memory.contains(resultPtr, 4)) return Status.InvalidMemoryAccess;
  const request = requestOf(guest, parts);
  if (request === undefined) {
    guest.resources.log.warnOnce("malformed grpc", MALFORMED);
    return Status.ParseFailure;
  }
  const id = guest.grpc.begin(request);
  if (typeof id === "string") return refused(guest, id, request.upstream);
  memory.writeU32(resultPtr, id);
  return Status.Ok;
}

/** @returns undefined when it is malformed, or longer than the bounds */
function requestOf(guest: Guest, parts: Parts): GrpcRequest | undefined {
  const { memory } = guest;
  const nameBytesMax = LIMITS.guestNameBytesMax;
  const [, upstreamLength] = parts.upstream;
  const [, messageLength] = parts.message ?? [0, 0];
  if (upstreamLength >>> 0 > nameBytesMax) return undefined;
  if (messageLength >>> 0 > LIMITS.grpcMessageBytesMax) return undefined;
  const upstream = grpcUpstreamOf(memory.read(...parts.upstream) ?? NOTHING);
  const service = memory.latin1(...parts.service, nameBytesMax) ?? "";
  const method = memory.latin1(...parts.method, nameBytesMax) ?? "";
  const path = `/${service}/${method}`;
  const isLong = service.length > nameBytesMax || method.length > nameBytesMax;
  const metadata = metadataOf(guest, parts.metadata);
  if (upstream === undefined || metadata === undefined) return undefined;
  if (isLong || service === "" || method === "" || !isTarget(path)) return undefined;
  const message = parts.message === undefined ? undefined : memory.copy(...parts.message);
  return { upstream, path, metadata, message, timeoutMs: parts.timeoutMs >>> 0 };
}

/** Lines that no message can have, or that gRPC does not allow, are left out as for call-outs. */
function metadataOf(guest: Guest, window: Window): HeaderList | undefined {
  const pairs = decodePairs(guest.memory.read(...window) ?? NOTHING);
  if (pairs === undefined) return undefined;
  const list = new HeaderList();
  let left = 0;
  const map = new HeaderMap(list, NO_PSEUDO_HEADERS);
  for (const [at, name] of pairs.names.entries()) {
    const value = pairs.values[at] as string;
    // gRPC's values are printable ASCII; others are in base64, under a name with -bin.
    if (!/^[\x20-\x7e]*$/.test(value) || map.add(name, value) !== "done") left++;
  }
  if (left > 0) guest.resources.log.warnOnce("refused metadata", REFUSED);
  return map.byteLength > LIMITS.grpcMetadataBytesMax ? undefined : list;
}

/** The two statuses that SDKs take from these functions. */
function refused(guest: Guest, refusal: CallOutRefusal, upstream: string): Status {
  if (refusal === "denied") {
    guest.resources.log.warnDenied("http_call", upstream);
    return Status.ParseFailure;
  }
  const why = {
    unknown: "there is no such upstream",
    overloaded:
      `at most ${LIMITS.grpcStreamsMax} calls and streams may be under way, and ` +
      `${LIMITS.grpcUnsentBytesTotalMax} bytes may wait to be sent`,
  }[refusal];
  const what = `Cannot call gRPC upstream ${JSON.stringify(upstream)}: ${why}`;
  guest.resources.log.warnOnce(`grpc ${refusal}`, what);
  return refusal === "overloaded" ? Status.InternalFailure : Status.ParseFailure;
}

const NOTHING = new Uint8Array();

const MALFORMED =
  "Cannot make a gRPC call: the upstream, the service, the method or the metadata is malformed, " +
  "or they or the message are too long";

const REFUSED =
  "Some metadata of a gRPC call is left out: a name was no token, or a value no printable ASCII";
