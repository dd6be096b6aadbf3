import { messageOf } from "../../base/errors.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { Sandbox } from "../../wasm/sandbox/sandbox.ts";
import type { GuestKind } from "../guest/guest-kind.ts";
import { refused, starting } from "../guest/initialize.ts";
import { inspectOutline } from "../inspect.ts";
import { WASI_MODULES } from "../wasi/signatures.ts";
import { wasiImports } from "../wasi/wasi.ts";
import { abiVersionOf, CALLED_NAMES } from "./exports.ts";
import { Guest } from "./guest.ts";
import type { PluginResources } from "./resources.ts";
import { hostFunctions } from "./host-functions.ts";
import { closeGuest } from "./teardown.ts";
import { ROOT_CONTEXT_ID } from "./types.ts";

/** The guests of a Proxy-Wasm plugin. */
export function guestKind(module: LoadedModule, resources: PluginResources): GuestKind<Guest> {
  return {
    start: (hasEvents) => startGuest(module, resources, hasEvents),
    blank: (hasEvents) => newGuest(module, resources, hasEvents),
    close: closeGuest,
  };
}

/**
 * Starts a guest in the order that SDKs rely on:
 *
 *   link ─▶ data, start section ─▶ _initialize, main │ _start ─▶ context 1 ─▶ vm_start ─▶ configure
 *
 * @param hasEvents it is the one that gets ticks and queues
 * @throws PluginRefused; nothing of the guest is left running then
 */
export function startGuest(
  module: LoadedModule,
  resources: PluginResources,
  hasEvents = true,
): Guest {
  const { problems } = inspectOutline(module.outline, "proxy-wasm");
  if (problems.length > 0) throw refused(problems.map((problem) => problem.message).join("; "));
  return starting(module, resources, () => newGuest(module, resources, hasEvents), configure);
}

/**
 * A guest whose instance stands, and in which nothing has run yet.
 * @throws PluginRefused when there can be no instance
 */
export function newGuest(
  module: LoadedModule,
  resources: PluginResources,
  hasEvents: boolean,
): Guest {
  const abi = abiVersionOf(new Set(module.outline.exports.map((each) => each.name)));
  const guest = new Guest(abi ?? "0.2.1", resources, hasEvents);
  // A sixth of the time that a copy takes, and guests that come without a runtime import none.
  const wantsWasi = module.outline.imports.some((each) => WASI_MODULES.includes(each.module));
  const imports = { env: hostFunctions(guest), ...(wantsWasi ? wasiImports(guest) : {}) };
  const linked = resources.host.trace?.imports(imports, () => guest.memory) ?? imports;
  try {
    guest.enterSandbox(new Sandbox(module, linked, CALLED_NAMES));
  } catch (error) {
    throw refused(`the module cannot be instantiated: ${messageOf(error)}`, error);
  }
  return guest;
}

function configure(guest: Guest): void {
  const { vmConfiguration, configuration } = guest.resources.host;
  guest.starting = true;
  guest.call("proxy_on_context_create", undefined, ROOT_CONTEXT_ID, 0);
  const vmBytes = vmConfiguration.byteLength;
  if (guest.call("proxy_on_vm_start", undefined, ROOT_CONTEXT_ID, vmBytes) === 0) {
    throw refused("proxy_on_vm_start answered false");
  }
  guest.configuring = true;
  const accepted = guest.call(
    "proxy_on_configure",
    undefined,
    ROOT_CONTEXT_ID,
    configuration.byteLength,
  );
  guest.configuring = false;
  guest.starting = false;
  if (accepted === 0) throw refused("proxy_on_configure answered false");
}
