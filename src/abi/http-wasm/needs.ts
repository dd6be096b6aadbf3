import { CALLBACK } from "../../filter/filter.ts";
import type { ModuleOutline } from "../../wasm/binary/outline.ts";
import type { InitFeatures } from "./guest.ts";
import { HTTP_HANDLER_MODULE, type HttpHandlerName } from "./signatures.ts";
import { Feature } from "./types.ts";

/** What the exchanges of a plugin need to have at hand, as its imports and its start tell. */
export interface Needs {
  /** handle_request runs when the whole request is there. */
  readonly wholeRequest: boolean;
  /** handle_response runs when the whole response is there, if the exchange has buffer_response. */
  readonly wholeResponse: boolean;
  /** CALLBACK bits. */
  readonly callbacks: number;
}

/**
 * Whoever does not import read_body cannot tell a body that has been waited for from one that has
 * not: what it writes takes the body's place unseen. Trailers come behind a body, so whoever wants
 * them waits for it.
 */
export function needsOf(outline: ModuleOutline, features: InitFeatures): Needs {
  const imports = (name: HttpHandlerName): boolean =>
    outline.imports.some((each) => each.module === HTTP_HANDLER_MODULE && each.name === name);
  const wholeRequest = imports("read_body") || (features & Feature.Trailers) !== 0;
  // handle_request may still enable buffer_response for its exchange.
  const wholeResponse = wholeRequest && imports("enable_features");
  return {
    wholeRequest,
    wholeResponse,
    callbacks:
      CALLBACK.requestHeaders |
      CALLBACK.responseHeaders |
      (wholeRequest ? CALLBACK.requestBody | CALLBACK.requestTrailers : 0) |
      (wholeResponse ? CALLBACK.responseBody | CALLBACK.responseTrailers : 0),
  };
}
