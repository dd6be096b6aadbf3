import { LIMITS } from "../../base/limits.ts";
import type { Change } from "../proxy-wasm/header-map.ts";
import type { GuestExchange } from "./guest-exchange.ts";
import { giveTexts, takeText } from "./guest-text.ts";
import type { HttpWasmGuest } from "./guest.ts";
import { changeable, type KnownHeaders, readable } from "./header-lists.ts";
import { exchangeOf, misuse } from "./misuse.ts";
import { HeaderKind } from "./types.ts";

/**
 * A line that would break the message is left out, and the operator reads one warning: what stands
 * in it may come from a client, who must not be able to have guests trap.
 */
export function headerFunctions(guest: HttpWasmGuest) {
  return {
    /** Each name once, in lower case, in the order of their first lines; `host` is among them. */
    get_header_names(kind: number, buf: number, limit: number): bigint {
      const { list, pseudo } = readable(exchangeOf(guest, "get_header_names"), kind);
      const names = new Set(pseudo.names.filter((name) => pseudo.read(name) !== ""));
      for (let at = 0; at < list.size; at++) names.add(list.keyAt(at));
      return giveTexts(guest, [...names], buf, limit);
    },

    /** The values of all lines of that name; upper and lower case are the same. */
    get_header_values(
      kind: number,
      namePtr: number,
      nameLength: number,
      buf: number,
      limit: number,
    ): bigint {
      const headers = readable(exchangeOf(guest, "get_header_values"), kind);
      const key = takeName(guest, namePtr, nameLength).toLowerCase();
      return giveTexts(guest, valuesOf(headers, key), buf, limit);
    },

    /** One line in place of all of that name. */
    set_header_value(
      kind: number,
      namePtr: number,
      nameLength: number,
      valuePtr: number,
      valueLength: number,
    ): void {
      change(guest, "set_header_value", kind, [namePtr, nameLength], ({ map }, name) =>
        map.replace(name, takeValue(guest, valuePtr, valueLength)),
      );
    },

    /** One line more. */
    add_header_value(
      kind: number,
      namePtr: number,
      nameLength: number,
      valuePtr: number,
      valueLength: number,
    ): void {
      change(guest, "add_header_value", kind, [namePtr, nameLength], ({ map }, name) =>
        map.add(name, takeValue(guest, valuePtr, valueLength)),
      );
    },

    /** Also when there is none; Host stays, since a request needs it. */
    remove_header(kind: number, namePtr: number, nameLength: number): void {
      change(guest, "remove_header", kind, [namePtr, nameLength], ({ map }, name) =>
        map.remove(name),
      );
    },
  };
}

function valuesOf({ list, map, pseudo }: KnownHeaders, key: string): string[] {
  if (pseudo.nameOf(key) === undefined) return list.getAll(key);
  const value = map.get(key);
  return value === undefined || value === "" ? [] : [value];
}

function change(
  guest: HttpWasmGuest,
  caller: "set_header_value" | "add_header_value" | "remove_header",
  kind: number,
  [namePtr, nameLength]: readonly [number, number],
  apply: (headers: KnownHeaders, name: string) => Change,
): void {
  const exchange = exchangeOf(guest, caller);
  const headers = changeable(exchange, kind);
  const name = takeName(guest, namePtr, nameLength);
  const changed = apply(headers, name);
  if (changed === "full") {
    misuse(
      `Cannot add a header line: ${LIMITS.pairsCountMax} lines or ` +
        `${LIMITS.pairsBytesMax} bytes are the limit`,
    );
  }
  if (changed === "refused") guest.resources.log.warnOnce("refused header", REFUSED);
  if (caller !== "add_header_value") noteEarly(exchange, kind, name);
  if (kind === HeaderKind.Request) exchange.requestChanged();
}

function noteEarly(exchange: GuestExchange, kind: number, name: string): void {
  if (kind === HeaderKind.Response && exchange.phase === "requesting") {
    exchange.early.noteSet(name.toLowerCase());
  }
}

/** @throws GuestMisuse when it is empty */
function takeName(guest: HttpWasmGuest, ptr: number, byteLength: number): string {
  const name = takeText(guest, "a header name", ptr, byteLength, LIMITS.pairsBytesMax);
  if (name === "") misuse("Cannot use a header without a name");
  return name;
}

function takeValue(guest: HttpWasmGuest, ptr: number, byteLength: number): string {
  return takeText(guest, "a header value", ptr, byteLength, LIMITS.pairsBytesMax);
}

const REFUSED =
  "Some header lines are left out: a name was no token, a value had a control character, " +
  "or Host was none";
