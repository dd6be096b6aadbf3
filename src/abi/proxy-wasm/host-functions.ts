import { bufferFunctions } from "./buffers.ts";
import { foreignFunctions } from "./foreign.ts";
import { grpcFunctions } from "./grpc.ts";
import type { Guest } from "./guest.ts";
import { headerChangeFunctions } from "./header-changes.ts";
import { headerFunctions } from "./headers.ts";
import { httpCallFunctions } from "./http-call.ts";
import { localResponseFunctions } from "./local-response.ts";
import { logFunctions } from "./log.ts";
import { metricFunctions } from "./metrics.ts";
import { propertyFunctions } from "./properties.ts";
import { sharedDataFunctions } from "./shared-data.ts";
import { sharedQueueFunctions } from "./shared-queue.ts";
import type { HostFunctionName } from "./signatures.ts";
import { streamFunctions } from "./streams.ts";
import { timerFunctions } from "./timers.ts";
import { Status } from "./types.ts";

export type HostFunction = (...args: never[]) => number | void;

/** The import object `env` of one guest. */
export function hostFunctions(guest: Guest): Record<HostFunctionName, HostFunction> {
  const functions: Record<HostFunctionName, HostFunction> = {
    ...logFunctions(guest),
    ...timerFunctions(guest),
    ...bufferFunctions(guest),
    ...headerFunctions(guest),
    ...headerChangeFunctions(guest),
    ...propertyFunctions(guest),
    ...streamFunctions(guest),
    ...localResponseFunctions(guest),
    ...httpCallFunctions(guest),
    ...grpcFunctions(guest),
    ...metricFunctions(guest),
    ...sharedDataFunctions(guest),
    ...sharedQueueFunctions(guest),
    ...foreignFunctions(guest),
  };
  for (const name of Object.keys(functions) as HostFunctionName[]) {
    functions[name] = gated(guest, functions[name], ANYTIME.has(name));
  }
  return functions;
}

/** May be called before there are contexts, and by an allocator: garbage collectors do. */
const ANYTIME: ReadonlySet<HostFunctionName> = new Set([
  "proxy_log",
  "proxy_get_log_level",
  "proxy_get_current_time_nanoseconds",
  "pthread_equal",
  "emscripten_notify_memory_growth",
]);

/** Arguments as they come, without an array for each call. */
type Body = (...args: unknown[]) => number | void;

/**
 * Answers InternalFailure where the ABI does not let a guest call. What a host function throws must
 * stop the guest, also when the guest catches it.
 * @param isAnytime it is one of ANYTIME
 */
function gated(guest: Guest, body: HostFunction, isAnytime: boolean): HostFunction {
  const run = body as Body;
  const gate: Body = (a, b, c, d, e, f, g, h, i, j, k, l) => {
    guest.beginHostCall();
    if (!isAnytime && !guest.callable) return Status.InternalFailure;
    try {
      return run(a, b, c, d, e, f, g, h, i, j, k, l);
    } catch (error) {
      guest.noteThrown(error);
      throw error;
    }
  };
  // As many as nearly all have: what a call lacks of the parameters has to be filled in each time.
  const short: Body = (a, b, c, d, e) => {
    guest.beginHostCall();
    if (!isAnytime && !guest.callable) return Status.InternalFailure;
    try {
      return run(a, b, c, d, e);
    } catch (error) {
      guest.noteThrown(error);
      throw error;
    }
  };
  return body.length <= short.length ? short : gate;
}
