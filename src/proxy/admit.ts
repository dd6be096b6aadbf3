import { GatewayError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { LimitsConfig } from "../config/config.ts";
import {
  type Authority,
  parseAuthority,
  parseHostLines,
  sameAuthority,
} from "../http/authority.ts";
import { setForwarded } from "../http/forwarded.ts";
import { ROLE } from "../http/header-name.ts";
import type { HeaderList } from "../http/headers.ts";
import { stripHopByHop } from "../http/hop-by-hop.ts";
import { checkMethod } from "../http/method.ts";
import { quoted, type Refusal } from "../http/refusal.ts";
import { parseTarget, type Target } from "../http/target.ts";
import type { Exchange } from "./exchange.ts";
import type { Incoming } from "./front/front.ts";
import { LimitedBody } from "./limited-body.ts";

/**
 * The door: turns what a front has read into a request that routes and filters can trust. The path
 * that it answers with is the one that is matched, and the target it sets is the one that is sent.
 * @throws GatewayError with the status for the client
 */
export function admit(x: Exchange): Admitted {
  const { incoming, request, plane } = x;
  const { limits } = x.generation;
  checkOverload(plane.inFlight, limits);
  accept("method", incoming.method, checkMethod(incoming.method));
  const authority = readAuthority(incoming);
  const target = readTarget(incoming, authority, limits);
  checkHeaders(request.headers, limits);
  request.authority = authority.authority;
  request.target = target.target;
  const admitted = { method: request.method, authority, target };
  x.admitted = admitted;
  if (incoming.body !== undefined) {
    x.requestBody = new LimitedBody(incoming.body, limits.requestBodyBytes);
  }
  stripHopByHop(request.headers, KEEP_TRAILERS);
  request.headers.removeRoles(ROLE.host);
  setForwarded(request.headers, {
    remoteAddress: incoming.remoteAddress,
    scheme: incoming.scheme,
    authority: authority.authority,
    localPort: incoming.localPort,
  });
  return admitted;
}

/** The request line as it came through the door, read. */
export interface Admitted {
  readonly method: string;
  readonly authority: Authority;
  readonly target: Target;
}

const KEEP_TRAILERS = { keepTrailersToken: true } as const;

function checkOverload(inFlight: number, limits: LimitsConfig): void {
  if (inFlight <= limits.exchangesInFlight) return;
  throw new GatewayError(
    "GATEWAY_OVERLOADED",
    `Cannot take one more exchange: ${limits.exchangesInFlight} are in flight ` +
      "(limits.exchanges_in_flight)",
  );
}

function readAuthority(incoming: Incoming): Authority {
  const only = incoming.headers.only("host");
  if (only !== undefined) return accept("Host", only, parseAuthority(only));
  const lines = incoming.headers.getAll("host");
  // HTTP/1.0 knows no Host; the address that was called is the best name there is.
  if (lines.length === 0 && incoming.version === "1.0") {
    const { localAddress, localPort } = incoming;
    lines.push(`${localAddress.includes(":") ? `[${localAddress}]` : localAddress}:${localPort}`);
  }
  return accept("Host", lines.join(", "), parseHostLines(lines));
}

function readTarget(incoming: Incoming, authority: Authority, limits: LimitsConfig): Target {
  const raw = incoming.target;
  const target = accept("target", raw, parseTarget(raw, limits.requestTargetBytes));
  if (target.authority === undefined) return target;
  // An absolute target names the host a second time: two names would let routes be dodged.
  const named = accept("target", raw, parseAuthority(target.authority));
  if (sameAuthority(named, authority, incoming.scheme)) return target;
  throw new GatewayError(
    "REQUEST_MALFORMED",
    `Cannot serve target ${quoted(raw)}: its authority is not that of Host`,
  );
}

function checkHeaders(headers: HeaderList, limits: LimitsConfig): void {
  if (headers.size > LIMITS.requestHeadersMax) {
    throw new GatewayError(
      "REQUEST_HEADERS_TOO_LARGE",
      `Cannot take ${headers.size} header lines: the limit is ${LIMITS.requestHeadersMax}`,
    );
  }
  const bytes = headers.byteLength + headers.size * 4; // ": " and CRLF
  if (bytes <= limits.requestHeaderBytes) return;
  throw new GatewayError(
    "REQUEST_HEADERS_TOO_LARGE",
    `Cannot take ${bytes} bytes of headers: the limit is ${limits.requestHeaderBytes} ` +
      "(limits.request_headers)",
  );
}

/** @throws GatewayError for a refusal */
function accept<T extends Authority | Target | undefined>(
  part: string,
  text: string,
  parsed: T | Refusal,
): T {
  if (parsed === undefined || parsed.ok) return parsed;
  throw new GatewayError(parsed.fault, `Cannot serve ${part} ${quoted(text)}: ${parsed.problem}`);
}
