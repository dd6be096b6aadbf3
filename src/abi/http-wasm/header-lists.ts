import { HeaderList } from "../../http/headers.ts";
import { HeaderMap } from "../proxy-wasm/header-map.ts";
import {
  NO_PSEUDO_HEADERS,
  type PseudoHeaders,
  TRAILER_PSEUDO_HEADERS,
} from "../proxy-wasm/pseudo-headers.ts";
import type { GuestExchange } from "./guest-exchange.ts";
import { HostPseudoHeader } from "./host-pseudo.ts";
import { misuse, mustChangeRequest, mustChangeResponse } from "./misuse.ts";
import { Feature, HeaderKind } from "./types.ts";

/** The lines of one kind, and the rules for changing them. */
export interface KnownHeaders {
  readonly list: HeaderList;
  readonly map: HeaderMap;
  readonly pseudo: PseudoHeaders;
}

/** What can be read now. @throws GuestMisuse for a kind that does not exist */
export function readable(exchange: GuestExchange, kind: number): KnownHeaders {
  switch (kind) {
    case HeaderKind.Request: {
      const { request } = exchange.host.exchange;
      return known(request.headers, new HostPseudoHeader(request));
    }
    case HeaderKind.Response:
      return known(responseHeaders(exchange));
    case HeaderKind.RequestTrailers:
      return trailers(exchange.has(Feature.Trailers) ? requestTrailers(exchange) : undefined);
    case HeaderKind.ResponseTrailers:
      return trailers(exchange.has(Feature.Trailers) ? responseTrailers(exchange) : undefined);
    default:
      return misuse(`Cannot use headers of kind ${kind}: there are 0 to ${KIND_MAX}`);
  }
}

/** As readable(), to be changed. @throws GuestMisuse also when they cannot be changed now */
export function changeable(exchange: GuestExchange, kind: number): KnownHeaders {
  switch (kind) {
    case HeaderKind.Request:
      mustChangeRequest(exchange, "request headers");
      return readable(exchange, kind);
    case HeaderKind.Response:
      mustChangeResponse(exchange, "response headers");
      return readable(exchange, kind);
    case HeaderKind.RequestTrailers:
      mustHaveTrailers(exchange);
      mustChangeRequest(exchange, "request trailers");
      if (!exchange.hasTrailers("request")) return trailers(undefined);
      return trailers(exchange.host.exchange.addTrailers("request"));
    case HeaderKind.ResponseTrailers:
      mustHaveTrailers(exchange);
      mustChangeResponse(exchange, "response trailers");
      if (!exchange.hasTrailers("response")) return trailers(exchange.early.trailers);
      return trailers(exchange.host.exchange.addTrailers("response"));
    default:
      return readable(exchange, kind);
  }
}

const KIND_MAX = HeaderKind.ResponseTrailers;

function known(
  list: HeaderList = new HeaderList(),
  pseudo: PseudoHeaders = NO_PSEUDO_HEADERS,
): KnownHeaders {
  return { list, pseudo, map: new HeaderMap(list, pseudo) };
}

function trailers(list: HeaderList | undefined): KnownHeaders {
  return known(list, TRAILER_PSEUDO_HEADERS);
}

function responseHeaders(exchange: GuestExchange): HeaderList {
  return exchange.phase === "responding" ? exchange.response.headers : exchange.early.headers;
}

function requestTrailers({ host }: GuestExchange): HeaderList | undefined {
  return host.exchange.requestTrailers;
}

function responseTrailers(exchange: GuestExchange): HeaderList | undefined {
  if (!exchange.hasTrailers("response")) return exchange.early.trailers;
  return exchange.host.exchange.responseTrailers;
}

function mustHaveTrailers(exchange: GuestExchange): void {
  if (!exchange.has(Feature.Trailers)) {
    misuse("Cannot change trailers without the feature trailers");
  }
}
