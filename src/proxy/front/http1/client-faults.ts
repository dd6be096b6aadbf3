import { GatewayError } from "../../../base/errors.ts";

/** The client will not take what it has asked for. */
export function gone(why: string): GatewayError {
  return new GatewayError("CLIENT_GONE", `Cannot answer the client: ${why}`);
}

/** The client lets us wait. */
export function timeout(what: string): GatewayError {
  return new GatewayError("REQUEST_TIMEOUT", `Cannot wait longer for ${what}`);
}

/** Somebody reads on in a body after its request has been answered. */
export function answered(): GatewayError {
  return new GatewayError("CLIENT_GONE", "Cannot read on in a body whose request was answered");
}
