import { GatewayError, messageOf } from "../../base/errors.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { Sandbox } from "../../wasm/sandbox/sandbox.ts";
import { GuestExit } from "../../wasm/trap.ts";
import { inspectOutline } from "../inspect.ts";
import { WASI_MODULES } from "../wasi/signatures.ts";
import { wasiImports } from "../wasi/wasi.ts";
import { abiVersionOf, CALLED_NAMES, type GuestExports } from "./exports.ts";
import { Guest } from "./guest.ts";
import type { PluginResources } from "./resources.ts";
import { hostFunctions } from "./host-functions.ts";
import { ROOT_CONTEXT_ID } from "./types.ts";

/** A plugin that cannot be started, with the reason for the operator. */
export class PluginRefused extends Error {
  override readonly name = "PluginRefused";
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
  const { problems } = inspectOutline(module.outline);
  if (problems.length > 0) {
    throw new PluginRefused(problems.map((problem) => problem.message).join("; "));
  }
  resources.log.forgetProblem();
  const guest = newGuest(module, resources, hasEvents);
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

/** Reactors are initialized; a command's `_start` returns, and its instance is kept. */
function initialize(guest: Guest, { rewritten }: LoadedModule): void {
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

function run(guest: Guest, name: string, body: GuestExports[string]): void {
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

function refused(what: string, cause?: unknown): PluginRefused {
  return new PluginRefused(what, { cause });
}

/** The guest's own words tell more than "answered false". */
function withReason(refusal: PluginRefused, logged: string | undefined): PluginRefused {
  if (logged === undefined || refusal.message.includes(logged)) return refusal;
  return new PluginRefused(`${refusal.message}; it logged: ${logged}`, { cause: refusal.cause });
}
