import type { HeaderList } from "../../http/headers.ts";

/** The codes of gRPC that arise here; others come from nodes and pass as they are. */
export const GrpcCode = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  DeadlineExceeded: 4,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16,
} as const;

/** How a call has ended. */
export interface GrpcOutcome {
  readonly code: number;
  /** Any text; empty when there is nothing to say. */
  readonly message: string;
}

/** What the trailers say, or the head of an answer without messages; undefined: nothing. */
export function outcomeOf(trailers: HeaderList): GrpcOutcome | undefined {
  const status = trailers.get("grpc-status");
  if (status === undefined) return undefined;
  const message = percentDecoded(trailers.get("grpc-message") ?? "");
  if (/^\d{1,9}$/.test(status)) return { code: Number(status), message };
  return { code: GrpcCode.Unknown, message: `the node's grpc-status is no number` };
}

/** For an answer of HTTP that has no grpc-status, as gRPC's specification maps them. */
export function outcomeOfHttp(status: number): GrpcOutcome {
  const code = HTTP_CODES[status] ?? GrpcCode.Unknown;
  return { code, message: `the node has answered HTTP ${status} without a grpc-status` };
}

const HTTP_CODES: Readonly<Record<number, number>> = {
  400: GrpcCode.Internal,
  401: GrpcCode.Unauthenticated,
  403: GrpcCode.PermissionDenied,
  404: GrpcCode.Unimplemented,
  429: GrpcCode.Unavailable,
  502: GrpcCode.Unavailable,
  503: GrpcCode.Unavailable,
  504: GrpcCode.Unavailable,
};

/** For a stream that was reset, by the node most likely. @param errorCode HTTP/2's */
export function outcomeOfReset(errorCode: number): GrpcOutcome {
  const code = RESET_CODES[errorCode] ?? GrpcCode.Internal;
  return { code, message: `the stream was reset with HTTP/2 error ${errorCode}` };
}

const RESET_CODES: Readonly<Record<number, number>> = {
  7: GrpcCode.Unavailable, // REFUSED_STREAM
  8: GrpcCode.Cancelled, // CANCEL
  11: GrpcCode.ResourceExhausted, // ENHANCE_YOUR_CALM
  12: GrpcCode.PermissionDenied, // INADEQUATE_SECURITY
};

/** UTF-8 as gRPC escapes it; what is not escaped properly stays as it is. */
function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  const bytes = Buffer.from(text, "latin1");
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const hex = /^%([0-9A-Fa-f]{2})/.exec(text.slice(at, at + 3))?.[1];
    bytes[length++] = hex === undefined ? (bytes[at] as number) : Number.parseInt(hex, 16);
    if (hex !== undefined) at += 2;
  }
  return bytes.toString("utf8", 0, length);
}
