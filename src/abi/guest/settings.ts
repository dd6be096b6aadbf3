import type { BreakerSettings } from "../../wasm/sandbox/breaker.ts";
import type { PoolSettings } from "../../wasm/sandbox/pool.ts";

/** What bounds the guests of one plugin. */
export interface GuestLimits {
  /** Of 64 KiB; memory of one guest. */
  readonly memoryPages: number;
  /** A guest whose memory is larger is replaced. */
  readonly recyclePages: number;
  /** One callback. */
  readonly deadlineMs: number;
  /** The callbacks of one exchange together; 0: no bound. */
  readonly totalMs: number;
  /** Units of one callback; 0: not counted. */
  readonly fuel: number;
  /** Each step of a start. */
  readonly startMs: number;
}

/** How the guests of one plugin are run. */
export interface GuestSettings {
  /** shared: one guest for all exchanges; per_request: every exchange starts from the image. */
  readonly instances: "shared" | "per_request";
  readonly limits: GuestLimits;
  readonly pool: PoolSettings;
  readonly breaker: BreakerSettings;
  /** Export that is called in a copy before its exchange. */
  readonly seed: string | undefined;
  /** What Pause in a headers callback holds: everything, or the headers while the body streams. */
  readonly pause: "all" | "stream";
  /** Whether a change of the request's headers has the route chosen again. */
  readonly routeCache: "clear" | "retain";
}
