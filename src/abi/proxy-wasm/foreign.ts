import { LIMITS } from "../../base/limits.ts";
import type { LoadedModule } from "../../wasm/module.ts";
import { compress, uncompress, zlib } from "./foreign-compression.ts";
import {
  createExpression,
  deleteExpression,
  evaluateExpression,
  expressions,
} from "./foreign-expressions.ts";
import { clearRouteCache, declareProperty, setFilterState } from "./foreign-properties.ts";
import { crypto, sign, verifySignature } from "./foreign-signatures.ts";
import type { Guest } from "./guest.ts";
import { Status } from "./types.ts";

/**
 * A function that has no import of its own, as Envoy has them: bytes in, bytes out. The argument is
 * borrowed from the guest's memory.
 */
type ForeignFunction = (argument: Uint8Array, guest: Guest) => Uint8Array | Status;

export const FOREIGN_FUNCTIONS: ReadonlyMap<string, ForeignFunction> = new Map(
  Object.entries({
    compress,
    uncompress,
    verify_signature: verifySignature,
    sign,
    clear_route_cache: clearRouteCache,
    declare_property: declareProperty,
    set_envoy_filter_state: setFilterState,
    expr_create: createExpression,
    expr_evaluate: evaluateExpression,
    expr_delete: deleteExpression,
  } satisfies Record<string, ForeignFunction>),
);

/** Loads what they need before a deadline runs: the first call in a callback would miss it. */
export function prepareForeignFunctions({ outline }: LoadedModule): void {
  if (!outline.imports.some(({ name }) => name === "proxy_call_foreign_function")) return;
  expressions();
  zlib();
  crypto();
}

/** What leaves the ABI: functions that are called by name, and two helpers of C++ toolchains. */
export function foreignFunctions(guest: Guest) {
  return {
    /**
     * Calls a foreign function. Its result is handed over only where the guest has an out-pointer.
     * @returns NotFound for a name that there is none of, with the first one in the log;
     *   BadArgument for more than LIMITS.guestForeignBytesMax; else what the function answers
     */
    proxy_call_foreign_function(
      namePtr: number,
      nameLength: number,
      argumentPtr: number,
      argumentLength: number,
      resultPtr: number,
      lengthPtr: number,
    ): Status {
      const { memory } = guest;
      const name = memory.latin1(namePtr, nameLength, LIMITS.guestNameBytesMax);
      const argument = memory.read(argumentPtr, argumentLength);
      if (name === undefined || argument === undefined) return Status.InvalidMemoryAccess;
      if (!isOutPointer(guest, resultPtr) || !isOutPointer(guest, lengthPtr)) {
        return Status.InvalidMemoryAccess;
      }
      const body = FOREIGN_FUNCTIONS.get(name);
      if (body === undefined) {
        const shown = JSON.stringify(name.slice(0, LIMITS.guestNameBytesMax));
        guest.resources.log.warnOnce("foreign", `There is no foreign function ${shown}`);
        return Status.NotFound;
      }
      if (argument.byteLength > LIMITS.guestForeignBytesMax) return Status.BadArgument;
      const result = body(argument, guest);
      if (typeof result !== "number") return giveIfWanted(guest, result, resultPtr, lengthPtr);
      return result === Status.Ok ? giveIfWanted(guest, NOTHING, resultPtr, lengthPtr) : result;
    },

    /** There is one thread: equal when the numbers are. */
    pthread_equal: (a: number, b: number): number => (a === b ? 1 : 0),

    /** Every access looks for itself whether the memory has grown. */
    emscripten_notify_memory_growth(): void {},
  };
}

/** As Guest.give(), for out-pointers of which 0 means that the guest does not want to know. */
function giveIfWanted(
  guest: Guest,
  bytes: Uint8Array,
  resultPtr: number,
  lengthPtr: number,
): Status {
  const { memory } = guest;
  if (resultPtr !== 0 && lengthPtr !== 0) return guest.give(bytes, resultPtr, lengthPtr);
  if (lengthPtr !== 0) memory.writeU32(lengthPtr, bytes.byteLength);
  if (resultPtr === 0) return Status.Ok;
  const ptr = bytes.byteLength > 0 ? guest.allocate(bytes.byteLength) : 0;
  if (bytes.byteLength > 0 && (ptr === 0 || !memory.write(ptr, bytes))) {
    return Status.InvalidMemoryAccess;
  }
  memory.writeU32(resultPtr, ptr);
  return Status.Ok;
}

const NOTHING = new Uint8Array(0);
const POINTER_BYTES = 4;

function isOutPointer(guest: Guest, ptr: number): boolean {
  return ptr === 0 || guest.memory.contains(ptr, POINTER_BYTES);
}
