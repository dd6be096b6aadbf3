import { LIMITS } from "../base/limits.ts";
import { parseAddress } from "../config/address.ts";
import { hostKey, matchesCallPattern } from "../config/call-pattern.ts";
import type { AllowConfig } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";

/** Where a call-out of a plugin may go. */
export type CallTarget =
  | { readonly kind: "upstream"; readonly id: string }
  | { readonly kind: "address"; readonly host: string; readonly port: number }
  /** It exists, or could, and `allow.http_call` does not name it. */
  | { readonly kind: "denied" }
  /** It is neither an upstream's id nor an address. */
  | { readonly kind: "unknown" };

/**
 * What a guest means by the name of a call's target, and whether it is granted: the id of an
 * upstream first, then an address. A name that is an id never falls through to the patterns.
 * @param name as the guest gives it
 */
export function callTargetOf(
  name: string,
  allow: AllowConfig,
  isUpstream: (id: string) => boolean,
): CallTarget {
  if (name.length > LIMITS.guestNameBytesMax) return { kind: "unknown" };
  if (allow.httpCall.includes(name)) return { kind: "upstream", id: name };
  if (isUpstream(name)) return { kind: "denied" };
  if (!/[.:]/.test(name)) return { kind: "unknown" };
  const parsed = parseAddress(name);
  if ("problem" in parsed || parsed.port === 0) return { kind: "unknown" };
  const { host, port = DEFAULTS.port } = parsed;
  const key = hostKey(host);
  if (!allow.httpCallPatterns.some((pattern) => matchesCallPattern(pattern, key, port))) {
    return { kind: "denied" };
  }
  return { kind: "address", host: key.startsWith("[") ? key.slice(1, -1) : key, port };
}
