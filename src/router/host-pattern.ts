import { parseAuthority } from "../http/authority.ts";
import type { PatternProblem } from "./pattern.ts";

/** A route's host: "a.example.com", or "*.example.com" for one label or more before the rest. */
export interface HostPattern {
  readonly ok: true;
  readonly isWildcard: boolean;
  /** The host itself, or what a host must end with: ".example.com". */
  readonly key: string;
}

/** Hosts come in one spelling (http/authority.ts): a pattern in another is refused. */
export function parseHost(text: string): HostPattern | PatternProblem {
  const isWildcard = text.startsWith("*.");
  const name = isWildcard ? text.slice(2) : text;
  const authority = parseAuthority(name);
  const star = isWildcard ? "*." : "";
  if (!authority.ok) {
    const problem = text.includes("*")
      ? 'a "*" stands only for whole labels at the start'
      : authority.problem;
    return badHost(`host "${text}" never matches: ${problem}`, undefined);
  }
  if (authority.host !== name) {
    const hint = star + authority.host;
    return badHost(`host "${text}" never matches: hosts are compared as "${hint}"`, hint);
  }
  return { ok: true, isWildcard, key: isWildcard ? `.${name}` : name };
}

function badHost(message: string, hint: string | undefined): PatternProblem {
  return { ok: false, code: "BAD_HOST", message, hint };
}
