import type { GuestMemory } from "../../wasm/guest-memory.ts";
import { argsFunctions } from "./args.ts";
import { clockFunctions } from "./clock.ts";
import { environFunctions } from "./environ.ts";
import { ERRNO } from "./errno.ts";
import { fdFunctions } from "./fd.ts";
import { procFunctions } from "./proc.ts";
import { randomFunctions } from "./random.ts";
import { WASI_MODULES, type WasiName } from "./signatures.ts";

/**
 * WASI preview 1 for plugins: clocks, randomness, the granted environment and two log streams are
 * real; files, sockets, arguments and sleeping are not there, and the answers say so in the way
 * that the toolchains' runtimes survive (Envoy's answers, where it has any).
 */
export interface WasiHost {
  /** The guest's memory; it exists when the first function is called. */
  readonly memory: GuestMemory;
  readonly environment: Readonly<Record<string, string>>;
  /** A piece of text for standard output (1) or standard error (2), cut anywhere. */
  print(fd: 1 | 2, text: string): void;
  /** Throws, so that the guest does not go on. */
  exit(code: number): never;
  /** Comes before every function. Throws when the guest has had its time. */
  beginHostCall(): void;
}

export type WasiFunction = (...args: never) => number | void;

/** Import objects for both module names. */
export function wasiImports(host: WasiHost): Record<string, Record<string, WasiFunction>> {
  const functions = {
    ...argsFunctions(host),
    ...environFunctions(host),
    ...clockFunctions(host),
    ...randomFunctions(host),
    ...fdFunctions(host),
    ...procFunctions(host),
    ...absentFunctions(),
  } satisfies Record<WasiName, WasiFunction>;
  const bounded = Object.fromEntries(
    Object.entries(functions).map(([name, body]) => [name, counted(host, body)]),
  );
  return Object.fromEntries(WASI_MODULES.map((name) => [name, bounded]));
}

/** Arguments as they come, without an array for each call. */
type Body = (...args: unknown[]) => number | void;

function counted(host: WasiHost, body: WasiFunction): WasiFunction {
  const run = body as Body;
  const count: Body = (a, b, c, d, e, f, g, h, i) => {
    host.beginHostCall();
    return run(a, b, c, d, e, f, g, h, i);
  };
  return count;
}

const notSupported = (): number => ERRNO.notSupported;

/** What has nothing behind it: no file system below any path, no sockets. */
function absentFunctions() {
  return {
    path_create_directory: notSupported,
    path_filestat_get: notSupported,
    path_filestat_set_times: notSupported,
    path_link: notSupported,
    // A runtime that probes for a file goes on after "no such file".
    path_open: (): number => ERRNO.noEntry,
    path_readlink: notSupported,
    path_remove_directory: notSupported,
    path_rename: notSupported,
    path_symlink: notSupported,
    path_unlink_file: notSupported,
    sock_accept: notSupported,
    sock_recv: notSupported,
    sock_send: notSupported,
    sock_shutdown: notSupported,
  };
}
