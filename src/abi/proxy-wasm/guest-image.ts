import { GatewayError } from "../../base/errors.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import type { Image } from "../../wasm/sandbox/sandbox.ts";
import type { Guest } from "./guest.ts";
import type { PluginResources } from "./resources.ts";
import type { RootState } from "./root-events.ts";
import { newGuest } from "./start.ts";

/** A configured guest, captured: what its instance holds and its root context has asked for. */
export interface GuestImage {
  readonly sandbox: Image;
  readonly root: RootState;
}

/**
 * Captures a guest that has just been configured; from now on it can be put back.
 * @returns for operators, why not
 */
export function captureGuest(guest: Guest): GuestImage | string {
  if (!guest.isAtRest) return "a call of proxy_on_configure waits for its answer";
  const sandbox = guest.sandbox.capture();
  if (typeof sandbox === "string") return sandbox;
  guest.sandbox.attach(sandbox);
  return { sandbox, root: guest.rootEvents.state };
}

/**
 * Another guest of the same module that starts where the image was captured.
 * @throws PluginRefused when there can be no instance; GatewayError when it cannot take the image
 */
export function copyGuest(
  module: LoadedModule,
  resources: PluginResources,
  image: GuestImage,
  hasEvents: boolean,
): Guest {
  const guest = newGuest(module, resources, hasEvents);
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
  guest.rootEvents.adopt(image.root);
  return guest;
}
