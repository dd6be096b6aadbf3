import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { GatewayStatus } from "./gateway-status.ts";

/**
 * The ports of the master itself. They are changed with a generation, and like the workers' in two
 * steps, so that a port that cannot be had refuses the generation, and a refused one changes none:
 *
 *   open(next) ──▶ the workers change over ──▶ keepOnly(next)
 *              └── refused ──────────────────▶ keepOnly(current)
 */
export interface ControlPorts {
  /** Opens what is not open yet. @returns why not; keepOnly() closes the others again */
  open(config: Config): Promise<readonly Diagnostic[]>;
  /** Closes what the configuration does not name; everything when there is none. */
  keepOnly(config: Config | undefined): void;
}

/** @param status asked for with every request */
export type StartControlPorts = (status: () => GatewayStatus) => ControlPorts;
