import type { Guest } from "./guest.ts";
import { MessageFields } from "./message-fields.ts";
import { keepProperty, segmentsOf } from "./properties.ts";
import { Status } from "./types.ts";

const STRING_TYPE = 1;

/**
 * `declare_property`: what the properties of a path are when the guest sets them.
 *
 *   in  1 path, 2 whether the first value stays, 3 type, 4 schema, 5 life
 *
 * A value lives as long as its exchange, whatever is asked for; of the types, only text matters,
 * and only to expressions.
 * @returns BadArgument for what is no such message, and for a path that has been declared
 */
export function declareProperty(argument: Uint8Array, guest: Guest): Status {
  const fields = MessageFields.of(argument);
  if (fields === undefined) return Status.BadArgument;
  const property = { readOnly: fields.bool(2), isText: fields.enumeration(3) === STRING_TYPE };
  const isNew = guest.rootEvents.declared.declareProperty(fields.latin1(1), property);
  return isNew ? Status.Ok : Status.BadArgument;
}

/** Keys that mean nothing but themselves; Envoy makes others act on its own listeners. */
const FREE_KEYS: ReadonlySet<string> = new Set(["envoy.string"]);

/**
 * `set_envoy_filter_state`: a value that is read as `filter_state.<key>`.
 *
 *   in  1 key, 2 value, 3 life
 *
 * @returns NotFound outside of an exchange and for a key that would have to act on something here
 */
export function setFilterState(argument: Uint8Array, guest: Guest): Status {
  const fields = MessageFields.of(argument);
  if (fields === undefined) return Status.BadArgument;
  const key = fields.latin1(1);
  if (guest.stream === undefined) return Status.NotFound;
  if (!FREE_KEYS.has(key)) {
    const shown = JSON.stringify(key.slice(0, SHOWN_MAX));
    guest.resources.log.warnOnce("filter state", `There is no filter state ${shown} here`);
    return Status.NotFound;
  }
  const path = ["filter_state", ...segmentsOf(key)];
  return keepProperty(guest.stream, path, fields.latin1(2), false);
}

const SHOWN_MAX = 100;

/** `clear_route_cache`: a route is chosen again for the exchange. Ok also where there is none. */
export function clearRouteCache(_argument: Uint8Array, guest: Guest): Status {
  guest.stream?.host.exchange.clearRoute();
  return Status.Ok;
}
