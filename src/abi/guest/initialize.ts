import { GatewayError, messageOf } from "../../base/errors.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { GuestExit } from "../../wasm/trap.ts";
import type { GuestCore, GuestExports, GuestResources } from "./guest-core.ts";
import { PluginRefused } from "./guest-kind.ts";

/**
 * Makes a guest and starts it, or leaves nothing of it running.
 * @param blank makes the guest
 * @param configure what its ABI wants after its toolchain's initialization
 * @throws PluginRefused with what the guest has logged
 */
export function starting<G extends GuestCore<unknown>>(
  module: LoadedModule,
  resources: GuestResources,
  blank: () => G,
  configure: (guest: G) => void,
): G {
  resources.log.forgetProblem();
  const guest = blank();
  try {
    initialize(guest, module);
    configure(guest);
    return guest;
  } catch (error) {
    const refusal = error instanceof PluginRefused ? error : refused(messageOf(error), error);
    guest.stop(new GatewayError("FILTER_FAILED", refusal.message));
    guest.sandbox.discard();
    throw withReason(refusal, resources.log.lastProblem);
  }
}

export function refused(what: string, cause?: unknown): PluginRefused {
  return new PluginRefused(what, { cause });
}

/** Reactors are initialized; a command's `_start` returns, and its instance is kept. */
function initialize(guest: GuestCore<unknown>, { rewritten }: LoadedModule): void {
  const { exports } = guest;
  const { names } = rewritten;
  if (names.initialize !== undefined) {
    run(guest, "writing the data segments", exports[names.initialize]);
  }
  if (names.start !== undefined) run(guest, "the start section", exports[names.start]);
  if (exports["_initialize"] !== undefined) {
    run(guest, "_initialize", exports["_initialize"]);
    if (exports["main"] !== undefined) run(guest, "main", exports["main"]);
    else run(guest, "__main_void", exports["__main_void"]);
    return;
  }
  run(guest, "_start", exports["_start"]);
}

function run(guest: GuestCore<unknown>, name: string, body: GuestExports[string]): void {
  if (body === undefined) return;
  const once = (): number | undefined => {
    try {
      return body(0, 0);
    } catch (error) {
      if (error instanceof GuestExit && error.exitCode === 0) return 0;
      throw error;
    }
  };
  const { startMs } = guest.resources.settings.limits;
  guest.enter(name, undefined, once, { ms: startMs, word: "limits.start" });
}

/** The guest's own words tell more than "answered false". */
function withReason(refusal: PluginRefused, logged: string | undefined): PluginRefused {
  if (logged === undefined || refusal.message.includes(logged)) return refusal;
  return new PluginRefused(`${refusal.message}; it logged: ${logged}`, { cause: refusal.cause });
}
