import { LIMITS } from "../../base/limits.ts";
import { isTarget, isToken } from "../proxy-wasm/header-rules.ts";
import { giveText, takeText } from "./guest-text.ts";
import type { HttpWasmGuest } from "./guest.ts";
import { exchangeOf, misuse, mustChangeRequest } from "./misuse.ts";

export function requestLineFunctions(guest: HttpWasmGuest) {
  return {
    get_method(buf: number, limit: number): number {
      const { request } = exchangeOf(guest, "get_method").host.exchange;
      return giveText(guest, request.method, buf, limit);
    },

    /** @throws GuestMisuse when it is no token, as an empty one is */
    set_method(ptr: number, byteLength: number): void {
      const exchange = exchangeOf(guest, "set_method");
      mustChangeRequest(exchange, "the method");
      const bytesMax = LIMITS.requestMethodBytesMax;
      const method = takeText(guest, "a method", ptr, byteLength, bytesMax);
      if (!isToken(method)) misuse(`Cannot set the method to ${JSON.stringify(method)}: no token`);
      exchange.host.exchange.request.method = method;
      exchange.requestChanged();
    },

    /** Path and query as they are forwarded. */
    get_uri(buf: number, limit: number): number {
      const { request } = exchangeOf(guest, "get_uri").host.exchange;
      return giveText(guest, request.target, buf, limit);
    },

    /**
     * An empty one is "/".
     * @throws GuestMisuse when it is no path with or without a query
     */
    set_uri(ptr: number, byteLength: number): void {
      const exchange = exchangeOf(guest, "set_uri");
      mustChangeRequest(exchange, "the URI");
      const bytesMax = LIMITS.requestTargetBytesMax;
      const uri = takeText(guest, "a URI", ptr, byteLength, bytesMax) || "/";
      if (!uri.startsWith("/") || !isTarget(uri)) {
        misuse(`Cannot set the URI to ${JSON.stringify(uri)}: a path begins with "/"`);
      }
      exchange.host.exchange.request.target = uri;
      exchange.requestChanged();
    },

    /** "HTTP/1.1", "HTTP/2.0": with both numbers always. */
    get_protocol_version(buf: number, limit: number): number {
      const { host } = exchangeOf(guest, "get_protocol_version");
      const value = host.exchange.getProperty(["request", "protocol"]);
      const known = typeof value === "string" ? value : "HTTP/1.1";
      return giveText(guest, /^HTTP\/\d$/.test(known) ? `${known}.0` : known, buf, limit);
    },

    /** "1.2.3.4:5678", "[::1]:5678"; empty when the gateway does not know it. */
    get_source_addr(buf: number, limit: number): number {
      const { host } = exchangeOf(guest, "get_source_addr");
      const value = host.exchange.getProperty(["source", "address"]);
      return giveText(guest, typeof value === "string" ? value : "", buf, limit);
    },
  };
}
