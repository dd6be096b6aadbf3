import { bodyFunctions } from "./bodies.ts";
import { featureFunctions } from "./features.ts";
import type { HttpWasmGuest } from "./guest.ts";
import { headerFunctions } from "./headers.ts";
import { logFunctions } from "./log.ts";
import { requestLineFunctions } from "./request-line.ts";
import type { HttpHandlerName } from "./signatures.ts";
import { statusFunctions } from "./status-code.ts";

export type HttpHandlerFunction = (...args: never[]) => number | bigint | void;

/** The import object `http_handler` of one guest. */
export function httpHandlerFunctions(
  guest: HttpWasmGuest,
): Record<HttpHandlerName, HttpHandlerFunction> {
  const functions: Record<HttpHandlerName, HttpHandlerFunction> = {
    ...featureFunctions(guest),
    ...logFunctions(guest),
    ...requestLineFunctions(guest),
    ...headerFunctions(guest),
    ...bodyFunctions(guest),
    ...statusFunctions(guest),
  };
  for (const name of Object.keys(functions) as HttpHandlerName[]) {
    functions[name] = noting(guest, functions[name]);
  }
  return functions;
}

/** Arguments as they come, without an array for each call: five at most. */
type Body = (...args: unknown[]) => number | bigint | void;

/** What a host function throws must stop the guest, also when the guest catches it. */
function noting(guest: HttpWasmGuest, body: HttpHandlerFunction): HttpHandlerFunction {
  const run = body as Body;
  const note: Body = (a, b, c, d, e) => {
    guest.beginHostCall();
    try {
      return run(a, b, c, d, e);
    } catch (error) {
      guest.noteThrown(error);
      throw error;
    }
  };
  return note;
}
