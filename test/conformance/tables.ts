import { HOST_FUNCTION_SIGNATURES } from "../../src/abi/proxy-wasm/signatures.ts";
import { PROXY_WASM_STATUSES } from "./proxy-wasm-statuses.ts";

/** The host functions of one ABI, of which each has a file in the folder. */
export interface FunctionTable {
  readonly folder: string;
  readonly names: readonly string[];
  /** What each answers here, wherever it is called and with whatever: nothing else may be seen. */
  readonly statuses: Readonly<Record<string, readonly string[]>>;
}

export const TABLES: readonly FunctionTable[] = [
  {
    folder: "proxy-wasm",
    names: Object.keys(HOST_FUNCTION_SIGNATURES),
    statuses: PROXY_WASM_STATUSES,
  },
];
