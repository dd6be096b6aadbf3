import { isIPv4, isIPv6 } from "../base/ip-address.ts";

/**
 * The address of a listener or of a node as it is written.
 *
 *   name  name:port  10.0.0.1:8080  [2001:db8::1]:8080
 */
export type Address =
  | { readonly host: string; readonly port: number | undefined }
  | { readonly problem: string; readonly hint?: string };

/** At most 253 characters; labels of letters, digits, "-" and "_", which containers have. */
const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/i;

/** @returns the host without brackets, or what is wrong with it, as the end of a sentence */
export function parseAddress(written: string): Address {
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/i.exec(written);
  if (url !== null) {
    return { problem: "is a URL, not an address", ...suggestion(url[1] ?? "") };
  }
  if (isIPv6(written)) {
    return { problem: "is an IPv6 address without brackets", ...suggestion(`[${written}]`) };
  }
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(written);
  if (match === null) return { problem: "is not of the form host:port" };
  const [, writtenHost = "", writtenPort] = match;
  const host = writtenHost.startsWith("[") ? writtenHost.slice(1, -1) : writtenHost;
  if (host === "") {
    const hint = written.startsWith(":") ? suggestion(`0.0.0.0${written}`) : {};
    return { problem: "has no host", ...hint };
  }
  if (writtenHost.startsWith("[") ? !isIPv6(host) : !isHostName(host)) {
    return { problem: "has a host that is neither a name nor an IP address" };
  }
  if (writtenPort === undefined) return { host, port: undefined };
  const port = /^\d{1,5}$/.test(writtenPort) ? Number(writtenPort) : Number.NaN;
  if (!(port <= 65_535)) return { problem: "has a port that is not a number from 0 to 65535" };
  return { host, port };
}

/** A name, or an IPv4 address; what looks like one and is none (10.0.0.300) is no name either. */
export function isHostName(host: string): boolean {
  if (isIPv4(host)) return true;
  return NAME.test(host) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(host);
}

function suggestion(address: string): { hint?: string } {
  return address === "" ? {} : { hint: `did you mean ${JSON.stringify(address)}?` };
}
