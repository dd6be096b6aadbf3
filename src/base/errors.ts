/**
 * Operating errors: expected, typed, always answered. One table instead of a class per failure.
 *
 * `source` says who is to blame, `status` what a client is told, `retryable` whether another node
 * may be tried (the retry policy also looks at the method and at what was already sent).
 * The message is for operators only; a client sees the code and the request id.
 */
export type FaultSource = "client" | "config" | "filter" | "upstream" | "gateway";

const FAULTS = {
  REQUEST_MALFORMED: { source: "client", status: 400, retryable: false },
  REQUEST_METHOD_UNSUPPORTED: { source: "client", status: 501, retryable: false },
  REQUEST_TIMEOUT: { source: "client", status: 408, retryable: false },
  REQUEST_BODY_TOO_LARGE: { source: "client", status: 413, retryable: false },
  REQUEST_URI_TOO_LONG: { source: "client", status: 414, retryable: false },
  REQUEST_HEADERS_TOO_LARGE: { source: "client", status: 431, retryable: false },
  REQUEST_VERSION_UNSUPPORTED: { source: "client", status: 505, retryable: false },
  REQUEST_CODING_UNSUPPORTED: { source: "client", status: 501, retryable: false },
  REQUEST_EXPECTATION_FAILED: { source: "client", status: 417, retryable: false },
  CLIENT_GONE: { source: "client", status: 499, retryable: false },
  ROUTE_NOT_FOUND: { source: "client", status: 404, retryable: false },
  METHOD_NOT_ALLOWED: { source: "client", status: 405, retryable: false },
  FILTER_FAILED: { source: "filter", status: 503, retryable: false },
  FILTER_DEADLINE: { source: "filter", status: 503, retryable: false },
  FILTER_FUEL: { source: "filter", status: 503, retryable: false },
  FILTER_HOST_CALLS: { source: "filter", status: 503, retryable: false },
  FILTER_OVERLOADED: { source: "filter", status: 503, retryable: false },
  FILTER_UNAVAILABLE: { source: "filter", status: 503, retryable: false },
  FILTER_REQUEST_BUFFER_FULL: { source: "filter", status: 413, retryable: false },
  FILTER_RESPONSE_BUFFER_FULL: { source: "filter", status: 500, retryable: false },
  FILTER_RESET: { source: "filter", status: 502, retryable: false },
  FILTER_PAUSED_TOO_LONG: { source: "filter", status: 504, retryable: false },
  UPSTREAM_NO_NODE: { source: "upstream", status: 503, retryable: false },
  UPSTREAM_OVERLOADED: { source: "upstream", status: 503, retryable: false },
  UPSTREAM_RESOLVE_FAILED: { source: "upstream", status: 502, retryable: true },
  UPSTREAM_CONNECT_FAILED: { source: "upstream", status: 502, retryable: true },
  UPSTREAM_CONNECT_TIMEOUT: { source: "upstream", status: 504, retryable: true },
  UPSTREAM_RESET: { source: "upstream", status: 502, retryable: true },
  UPSTREAM_BAD_RESPONSE: { source: "upstream", status: 502, retryable: false },
  UPSTREAM_SEND_TIMEOUT: { source: "upstream", status: 504, retryable: true },
  UPSTREAM_READ_TIMEOUT: { source: "upstream", status: 504, retryable: true },
  UPSTREAM_TOTAL_TIMEOUT: { source: "upstream", status: 504, retryable: false },
  GATEWAY_OVERLOADED: { source: "gateway", status: 503, retryable: false },
  GATEWAY_INTERNAL: { source: "gateway", status: 500, retryable: false },
} as const satisfies Record<string, { source: FaultSource; status: number; retryable: boolean }>;

export type FaultCode = keyof typeof FAULTS;

export function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(FAULTS, text);
}

export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: FaultCode;

  /** @param what action first, then values, limit and state: for the operator's log */
  constructor(code: FaultCode, what: string, options?: { cause?: unknown }) {
    super(what, options);
    this.code = code;
  }

  get source(): FaultSource {
    return FAULTS[this.code].source;
  }

  /** HTTP status a client is answered with. */
  get status(): number {
    return FAULTS[this.code].status;
  }

  get retryable(): boolean {
    return FAULTS[this.code].retryable;
  }
}

/** Any thrown value as a GatewayError: ours as it is, everything else as GATEWAY_INTERNAL. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new GatewayError("GATEWAY_INTERNAL", what, { cause: error });
}

/** The message of any thrown value, for logs and diagnostics. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
