import { GatewayError } from "../../base/errors.ts";
import type { Image } from "../../wasm/sandbox/sandbox.ts";
import type { GuestCore } from "./guest-core.ts";
import type { GuestKind } from "./guest-kind.ts";

/** A configured guest, captured: what its instance holds, and what else its start has left. */
export interface GuestImage<State> {
  readonly sandbox: Image;
  readonly state: State;
}

/**
 * Captures a guest that has just been configured; from now on it can be put back.
 * @returns for operators, why not
 */
export function captureGuest<State>(guest: GuestCore<State>): GuestImage<State> | string {
  if (!guest.isAtRest) return "a call of its start waits for its answer";
  const sandbox = guest.sandbox.capture();
  if (typeof sandbox === "string") return sandbox;
  guest.sandbox.attach(sandbox);
  return { sandbox, state: guest.state };
}

/**
 * Another guest of the same module that starts where the image was captured.
 * @throws PluginRefused when there can be no instance; GatewayError when it cannot take the image
 */
export function copyGuest<State, G extends GuestCore<State>>(
  kind: GuestKind<G>,
  image: GuestImage<State>,
  hasEvents: boolean,
): G {
  const guest = kind.blank(hasEvents);
  try {
    guest.sandbox.attach(image.sandbox);
  } catch (error) {
    guest.sandbox.discard();
    throw new GatewayError(
      "FILTER_UNAVAILABLE",
      `Cannot make a sandbox for plugin "${guest.name}": there is no memory for it`,
      { cause: error },
    );
  }
  guest.adopt(image.state);
  return guest;
}
