import { GatewayError, messageOf } from "../../base/errors.ts";
import { GuestMemory } from "../../wasm/guest-memory.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { GuestExit } from "../../wasm/trap.ts";
import { inspectOutline } from "../inspect.ts";
import { wasiImports } from "../wasi/wasi.ts";
import { abiVersionOf, type GuestExports, type GuestFunction } from "./exports.ts";
import { Guest, type PluginResources } from "./guest.ts";
import { hostFunctions } from "./host-functions.ts";
import { ROOT_CONTEXT_ID } from "./types.ts";

/** A plugin that cannot be started, with the reason for the operator. */
export class PluginRefused extends Error {
  override readonly name = "PluginRefused";
}

/**
 * Starts a guest in the order that SDKs rely on:
 *
 *   link ─▶ start section ─▶ _initialize, main │ _start ─▶ context 1 ─▶ vm_start ─▶ configure
 *
 * @throws PluginRefused; nothing of the guest is left running then
 */
export function startGuest(module: LoadedModule, resources: PluginResources): Guest {
  const { problems } = inspectOutline(module.outline);
  if (problems.length > 0) {
    throw new PluginRefused(problems.map((problem) => problem.message).join("; "));
  }
  const abi = abiVersionOf(new Set(module.outline.exports.map((each) => each.name)));
  const guest = new Guest(abi ?? "0.2.1", resources);
  resources.log.forgetProblem();
  try {
    attach(guest, module);
    initialize(guest, module);
    configure(guest);
    return guest;
  } catch (error) {
    const refusal = error instanceof PluginRefused ? error : refused(messageOf(error), error);
    guest.stop(new GatewayError("FILTER_FAILED", refusal.message));
    throw withReason(refusal, resources.log.lastProblem);
  }
}

function attach(guest: Guest, module: LoadedModule): void {
  const imports = { env: hostFunctions(guest), ...wasiImports(guest) };
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(module.module, imports);
  } catch (error) {
    throw refused(`the module cannot be instantiated: ${messageOf(error)}`, error);
  }
  const exports: Record<string, GuestFunction> = Object.create(null);
  for (const [name, value] of Object.entries(instance.exports)) {
    if (typeof value === "function") exports[name] = value as GuestFunction;
  }
  const memory = instance.exports["memory"];
  if (!(memory instanceof WebAssembly.Memory)) throw refused("the module exports no memory");
  guest.attach(new GuestMemory(memory), exports);
}

/** Reactors are initialized; a command's `_start` returns, and its instance is kept. */
function initialize(guest: Guest, { startExport }: LoadedModule): void {
  const { exports } = guest;
  if (startExport !== undefined) run(guest, "the start section", exports[startExport]);
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
  guest.enter(name, undefined, () => {
    try {
      return body(0, 0);
    } catch (error) {
      if (error instanceof GuestExit && error.exitCode === 0) return 0;
      throw error;
    }
  });
}

function configure(guest: Guest): void {
  const { vmConfiguration, configuration } = guest.resources.host;
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
