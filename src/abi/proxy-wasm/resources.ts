import type { PluginHost } from "../../filter/filter.ts";
import type { GuestLog } from "./guest-log.ts";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { GuestSettings } from "./settings.ts";
import type { VmScope } from "./vm-scope.ts";

/** What belongs to a configured plugin and outlives its guests. */
export interface PluginResources {
  readonly host: PluginHost;
  readonly log: GuestLog;
  readonly metrics: Metrics;
  readonly scope: VmScope;
  readonly settings: GuestSettings;
  readonly health: Health;
}
