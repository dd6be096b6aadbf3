/** Those of node:net, which is the larger part of a worker's start when nothing else needs it. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const GROUP = /^[\da-f]{1,4}$/i;
/** What stands behind "%": the interface of a link-local address. */
const ZONE = /^[\da-z.:-]+$/i;
/** Of 16 bits each. */
const GROUPS = 8;

/** Four decimal numbers, none of them with a leading zero. */
export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/** In any of its spellings, without brackets: `::1`, `64:ff9b::10.0.0.1`, `fe80::1%eth0`. */
export function isIPv6(text: string): boolean {
  const percent = text.indexOf("%");
  if (percent >= 0 && !ZONE.test(text.slice(percent + 1))) return false;
  const address = percent < 0 ? text : text.slice(0, percent);
  const [before = "", after, surplus] = address.split("::", 3);
  if (surplus !== undefined) return false;
  if (after === undefined) return groupsIn(before, true) === GROUPS;
  // "::" stands for one group or more.
  const groups = (before && groupsIn(before, false)) || 0;
  return groups + ((after && groupsIn(after, true)) || 0) < GROUPS;
}

/** @returns Infinity when one of them is none */
function groupsIn(text: string, mayEndInIPv4: boolean): number {
  const parts = text.split(":", GROUPS + 1);
  const last = parts.length - 1;
  let groups = 0;
  for (const [at, part] of parts.entries()) {
    if (GROUP.test(part)) groups++;
    else if (mayEndInIPv4 && at === last && isIPv4(part)) groups += 2;
    else return Infinity;
  }
  return groups;
}
