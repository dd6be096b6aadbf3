/**
 * Properties that tell of the gateway, not of an exchange: a plugin reads them when
 * `allow.properties` names them. Envoy's names where Envoy has one.
 */
export const GATEWAY_PROPERTIES = [
  /** Integer; the number of the generation that serves now. */
  "gateway.generation",
  /** String; the version of the executable. */
  "gateway.version",
  /** Integer; the process id of the worker. */
  "gateway.worker",
  /** String; the name of the machine. */
  "node.id",
] as const;

export type GatewayProperty = (typeof GATEWAY_PROPERTIES)[number];

/** @param grant a path, or one that ends with ".*" for all that is below it */
export function grantsProperty(grant: string, path: string): boolean {
  return grant.endsWith(".*") ? path.startsWith(grant.slice(0, -1)) : path === grant;
}
