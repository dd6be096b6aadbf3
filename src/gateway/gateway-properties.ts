import type * as System from "node:os";
import { VERSION } from "../base/version.ts";
import type { AllowConfig } from "../config/config.ts";
import { type GatewayProperty, grantsProperty } from "../config/gateway-properties.ts";
import { DENIED, type PropertyValue } from "../filter/filter.ts";

/** @param generation number of the one that serves */
type Read = (generation: number) => PropertyValue;

// A Map: a guest chooses the key, and must not reach what every object inherits.
const PROPERTIES: ReadonlyMap<string, Read> = new Map<string, Read>(
  Object.entries({
    "gateway.generation": (generation) => BigInt(generation),
    "gateway.version": () => VERSION,
    "gateway.worker": () => BigInt(process.pid),
    "node.id": () => (machine ??= hostname()),
  } satisfies Record<GatewayProperty, Read>),
);

let machine: string | undefined;

function hostname(): string {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  return (require("node:os") as typeof System).hostname();
}

/**
 * @param name segments joined by "."
 * @returns undefined when the gateway has no such property; DENIED when it is not granted
 */
export function readGatewayProperty(
  name: string,
  allow: AllowConfig,
  generation: number,
): PropertyValue | typeof DENIED | undefined {
  const read = PROPERTIES.get(name);
  if (read === undefined) return undefined;
  const granted = allow.properties.some((grant) => grantsProperty(grant, name));
  return granted ? read(generation) : DENIED;
}
