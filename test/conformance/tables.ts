import { HOST_FUNCTION_SIGNATURES } from "../../src/abi/proxy-wasm/signatures.ts";
import { HTTP_HANDLER_SIGNATURES } from "../../src/abi/http-wasm/signatures.ts";
import { WASI_SIGNATURES } from "../../src/abi/wasi/signatures.ts";
import { HTTP_WASM_RESULTS } from "./http-wasm-results.ts";
import { PROXY_WASM_STATUSES } from "./proxy-wasm-statuses.ts";
import { ERRNO_ONLY, WASI_RESULTS } from "./wasi-results.ts";

/** The host functions of one ABI, of which each has a file in the folder. */
export interface FunctionTable {
  readonly folder: string;
  readonly names: readonly string[];
  /** Those of them that have a file together. */
  readonly alike?: { readonly file: string; readonly names: readonly string[] };
  /** What each answers here, wherever it is called and with whatever: nothing else may be seen. */
  readonly statuses: Readonly<Record<string, readonly string[]>>;
}

export const TABLES: readonly FunctionTable[] = [
  {
    folder: "proxy-wasm",
    names: Object.keys(HOST_FUNCTION_SIGNATURES),
    statuses: PROXY_WASM_STATUSES,
  },
  {
    folder: "wasi",
    names: Object.keys(WASI_SIGNATURES),
    alike: { file: "errno-only", names: Object.keys(ERRNO_ONLY) },
    statuses: WASI_RESULTS,
  },
  {
    folder: "http-wasm",
    names: Object.keys(HTTP_HANDLER_SIGNATURES),
    statuses: HTTP_WASM_RESULTS,
  },
];
