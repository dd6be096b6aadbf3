import type { GuestResources } from "../guest/guest-core.ts";
import type { Metrics } from "./metrics.ts";
import type { VmScope } from "./vm-scope.ts";

/** What belongs to a configured plugin and outlives its guests. */
export interface PluginResources extends GuestResources {
  readonly metrics: Metrics;
  readonly scope: VmScope;
}
