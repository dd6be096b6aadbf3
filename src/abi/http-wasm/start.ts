import { messageOf } from "../../base/errors.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { Sandbox } from "../../wasm/sandbox/sandbox.ts";
import type { GuestResources } from "../guest/guest-core.ts";
import type { GuestKind } from "../guest/guest-kind.ts";
import { refused, starting } from "../guest/initialize.ts";
import { inspectOutline } from "../inspect.ts";
import { WASI_MODULES } from "../wasi/signatures.ts";
import { wasiImports } from "../wasi/wasi.ts";
import { HttpWasmGuest } from "./guest.ts";
import { httpHandlerFunctions } from "./host-functions.ts";
import { HTTP_GUEST_SIGNATURES, HTTP_HANDLER_MODULE } from "./signatures.ts";

/** The guests of an http-wasm plugin. The ABI knows no configuring and no end of a guest. */
export function guestKind(
  module: LoadedModule,
  resources: GuestResources,
): GuestKind<HttpWasmGuest> {
  return {
    start(): HttpWasmGuest {
      const { problems } = inspectOutline(module.outline, "http-wasm");
      if (problems.length > 0) throw refused(problems.map((each) => each.message).join("; "));
      return starting(
        module,
        resources,
        () => newGuest(module, resources),
        () => {},
      );
    },
    blank: () => newGuest(module, resources),
    close(guest, reason, closed): void {
      guest.stop(reason);
      closed();
    },
  };
}

function newGuest(module: LoadedModule, resources: GuestResources): HttpWasmGuest {
  const guest = new HttpWasmGuest(resources);
  const wantsWasi = module.outline.imports.some((each) => WASI_MODULES.includes(each.module));
  const imports = {
    [HTTP_HANDLER_MODULE]: httpHandlerFunctions(guest),
    ...(wantsWasi ? wasiImports(guest) : {}),
  };
  const linked = resources.host.trace?.imports(imports, () => guest.memory) ?? imports;
  try {
    guest.enterSandbox(new Sandbox(module, linked, Object.keys(HTTP_GUEST_SIGNATURES)));
  } catch (error) {
    throw refused(`the module cannot be instantiated: ${messageOf(error)}`, error);
  }
  return guest;
}
