import type { GuestFunction } from "../../src/abi/guest/guest-core.ts";
import { CALLED_NAMES } from "../../src/abi/proxy-wasm/exports.ts";
import { Guest } from "../../src/abi/proxy-wasm/guest.ts";
import { hostFunctions } from "../../src/abi/proxy-wasm/host-functions.ts";
import type { PluginResources } from "../../src/abi/proxy-wasm/resources.ts";
import { ROOT_CONTEXT_ID } from "../../src/abi/proxy-wasm/types.ts";
import { wasiImports } from "../../src/abi/wasi/wasi.ts";
import { readOutline } from "../../src/wasm/binary/outline.ts";
import { GuestMemory } from "../../src/wasm/guest-memory.ts";
import { dispatch } from "../../src/wasm/sandbox/dispatch.ts";

/**
 * A configured guest whose module is what its compiler wrote: nothing stops it and nothing puts it
 * back. Called by the same way as a sandbox is, so that the difference is what metering costs.
 */
export function startUnmetered(bytes: Uint8Array<ArrayBuffer>, resources: PluginResources): Guest {
  const guest = new Guest("0.2.1", resources);
  const imports = { env: hostFunctions(guest), ...wasiImports(guest) };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const exports: Record<string, GuestFunction> = {};
  for (const { name, type } of readOutline(bytes).exports) {
    if (type === undefined) continue;
    const target = instance.exports[name] as GuestFunction;
    const { params, results } = type;
    exports[name] = CALLED_NAMES.includes(name)
      ? dispatch.add(target, params.length, results.length).call
      : target;
  }
  guest.attach(new GuestMemory(instance.exports["memory"] as WebAssembly.Memory), exports);
  const time = { ms: resources.settings.limits.startMs, word: "limits.start" };
  const initialize = exports["_initialize"];
  if (initialize !== undefined) guest.enter("_initialize", undefined, () => initialize(), time);
  guest.call("proxy_on_context_create", undefined, ROOT_CONTEXT_ID, 0);
  guest.call("proxy_on_vm_start", undefined, ROOT_CONTEXT_ID, 0);
  const { byteLength } = resources.host.configuration;
  guest.configuring = true;
  if (guest.call("proxy_on_configure", undefined, ROOT_CONTEXT_ID, byteLength) === 0) {
    throw new Error("Cannot start the guest: it refuses its configuration");
  }
  guest.configuring = false;
  return guest;
}
