import { LIMITS } from "../base/limits.ts";
import { ModuleError } from "../wasm/binary/module-error.ts";
import {
  type FunctionType,
  type ModuleExport,
  type ModuleImport,
  type ModuleOutline,
  readOutline,
  renderType,
} from "../wasm/binary/outline.ts";
import { instrument } from "../wasm/instrument/instrument.ts";
import { refuseObjects } from "../wasm/module.ts";
import { httpWasmProblems, looksLikeHttpWasm } from "./http-wasm/problems.ts";
import {
  HTTP_GUEST_SIGNATURES,
  HTTP_HANDLER_MODULE,
  HTTP_HANDLER_SIGNATURES,
} from "./http-wasm/signatures.ts";
import { type ModuleProblem, shown, shownImport } from "./module-problem.ts";
import {
  abiVersionOf,
  ALLOCATOR_NAMES,
  CALLBACK_NAMES,
  START_NAMES,
  UNCALLED_CALLBACK_NAMES,
} from "./proxy-wasm/exports.ts";
import { HOST_FUNCTION_SIGNATURES } from "./proxy-wasm/signatures.ts";
import type { AbiVersion } from "./proxy-wasm/types.ts";
import { isCallableAs, signature } from "./signature.ts";
import { WASI_MODULES, WASI_SIGNATURES } from "./wasi/signatures.ts";

/** What the operator says of a module's ABI; auto: it is found in the module. */
export type AbiChoice = "auto" | "proxy-wasm" | "http-wasm";

/** What can be told about a plugin's module without starting it. Plain data. */
export interface ModuleReport {
  readonly byteLength: number;
  readonly abi: `proxy-wasm ${AbiVersion}` | "http-wasm" | "unknown";
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Names of its ABI's callbacks that it exports. */
  readonly callbacks: readonly string[];
  /** Imported functions that nobody here provides. */
  readonly missing: readonly { readonly module: string; readonly name: string }[];
  /** Of its memory; undefined when it has none. */
  readonly pages: { readonly min: number; readonly max: number | undefined } | undefined;
  /**
   * Why a guest of it cannot be put back to how it was after its start: empty when it can,
   * undefined when its code was not looked at.
   */
  readonly obstacles: readonly string[] | undefined;
  /** Empty when the module can be started. */
  readonly problems: readonly ModuleProblem[];
}

/** It may still be put back: only an instance that has run that code cannot. */
const MAY_CHANGE = "its code can change its tables or drop segments: when it has, it cannot";

const PROBLEMS_MAX = 50;

/** Looks at a module from every side; never throws, whatever the bytes are. */
export function inspectModule(bytes: Uint8Array, abi: AbiChoice = "auto"): ModuleReport {
  return inspect(bytes, abi, () => obstaclesOf(bytes));
}

/**
 * The same without its code, which is nearly all of the work: problems of that are found by who
 * loads the module.
 */
export function inspectInterface(bytes: Uint8Array, abi: AbiChoice = "auto"): ModuleReport {
  return inspect(bytes, abi, () => undefined);
}

/** @param lookAtCode @throws ModuleError */
function inspect(
  bytes: Uint8Array,
  abi: AbiChoice,
  lookAtCode: () => string[] | undefined,
): ModuleReport {
  let outline: ModuleOutline | undefined;
  try {
    outline = readOutline(bytes);
    return { ...inspectOutline(outline, abi), obstacles: lookAtCode() };
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    // What the outline shows is nearer to what its author did.
    const report = outline && inspectOutline(outline, abi);
    if (report !== undefined && error.code !== "INVALID" && report.problems.length > 0) {
      return report;
    }
    return {
      byteLength: bytes.byteLength,
      abi: "unknown",
      imports: [],
      exports: [],
      callbacks: [],
      missing: [],
      pages: undefined,
      obstacles: undefined,
      problems: [{ code: error.code, message: error.message }],
    };
  }
}

/** @throws ModuleError when it cannot be rewritten, or the engine refuses it */
function obstaclesOf(bytes: Uint8Array): string[] {
  const { traits } = instrument(bytes, {
    memoryPagesMax: LIMITS.guestPagesMax,
    tableEntriesMax: LIMITS.guestTableEntriesMax,
    checks: { poll: true, fuel: true },
  });
  refuseObjects(traits);
  const changes = traits.mayTaint ? [MAY_CHANGE] : [];
  return [...new Set([...traits.unrestorable, ...traits.uncopyable, ...changes])];
}

/** The same for a module that has been read already. */
export function inspectOutline(outline: ModuleOutline, abi: AbiChoice = "auto"): ModuleReport {
  const functions = outline.exports.filter((each) => each.kind === "function");
  const names = new Set(functions.map((each) => each.name));
  const version = abi === "http-wasm" ? undefined : abiVersionOf(names);
  const isHttpWasm = isHttpWasmModule(outline, abi, names);
  const tables = isHttpWasm ? HTTP_WASM_TABLES : PROXY_WASM_TABLES;
  const missing = outline.imports.filter(
    (each) => each.kind === "function" && expectedType(each, tables) === undefined,
  );
  const callbacks: readonly string[] = isHttpWasm
    ? Object.keys(HTTP_GUEST_SIGNATURES)
    : [...CALLBACK_NAMES, ...UNCALLED_CALLBACK_NAMES];
  return {
    byteLength: outline.byteLength,
    abi: version === undefined ? (isHttpWasm ? "http-wasm" : "unknown") : `proxy-wasm ${version}`,
    imports: outline.imports,
    exports: outline.exports,
    callbacks: callbacks.filter((name) => names.has(name)),
    missing: missing.map(({ module, name }) => ({ module, name })),
    pages: outline.memory && { min: outline.memory.pagesMin, max: outline.memory.pagesMax },
    obstacles: undefined,
    problems: bounded(problemsOf(outline, isHttpWasm, version)),
  };
}

/** A marker decides where there are both kinds of exports: nobody exports one by accident. */
function isHttpWasmModule(
  outline: ModuleOutline,
  abi: AbiChoice,
  names: ReadonlySet<string>,
): boolean {
  if (abi !== "auto") return abi === "http-wasm";
  return markerOf(names) === undefined && looksLikeHttpWasm(outline);
}

/** Of any version, known or not. */
function markerOf(names: ReadonlySet<string>): string | undefined {
  return [...names].find((name) => name.startsWith("proxy_abi_version_"));
}

function problemsOf(
  outline: ModuleOutline,
  isHttpWasm: boolean,
  version: AbiVersion | undefined,
): ModuleProblem[] {
  const functions = outline.exports.filter((each) => each.kind === "function");
  const names = new Set(functions.map((each) => each.name));
  if (isHttpWasm) {
    const own = httpWasmProblems(outline);
    // Of a draft everything would be wrong; one reason says more.
    if (own.some((each) => each.code === "HTTP_WASM_DRAFT")) return own;
    return [
      ...own,
      ...outline.imports.flatMap((each) => importProblems(each, HTTP_WASM_TABLES)),
      ...memoryProblems(outline),
      ...signatureProblems(functions, START_NAMES),
    ];
  }
  return [
    ...abiProblems(outline, names, version),
    ...outline.imports.flatMap((each) => importProblems(each, PROXY_WASM_TABLES)),
    ...memoryProblems(outline),
    ...allocatorProblems(names),
    ...signatureProblems(functions, [...CALLBACK_NAMES, ...ALLOCATOR_NAMES, ...START_NAMES]),
  ];
}

/** A module can have 65,536 imports, and each of them can be wrong. */
function bounded(problems: ModuleProblem[]): ModuleProblem[] {
  const more = problems.length - PROBLEMS_MAX;
  if (more <= 0) return problems;
  const rest = { code: "MORE", message: `the module has ${more} more problems` };
  return [...problems.slice(0, PROBLEMS_MAX), rest];
}

function abiProblems(
  outline: ModuleOutline,
  names: ReadonlySet<string>,
  version: AbiVersion | undefined,
): ModuleProblem[] {
  if (version !== undefined) return [];
  const marker = markerOf(names);
  const known = "0.1.0, 0.2.0 and 0.2.1";
  if (marker !== undefined) {
    const message = `the module exports ${marker}, an ABI that is not known; known are ${known}`;
    return [{ code: "NO_ABI", message }];
  }
  const old = [...names].find((name) => name.startsWith("proxy_on"));
  const imported = outline.imports.find(
    ({ module, name }) => module === "env" && name.startsWith("proxy_"),
  );
  const none = `the module has no ABI marker, no export proxy_abi_version_…; known are ${known}`;
  const sign =
    old === undefined ? imported && `imports ${shownImport(imported)}` : `exports ${shown(old)}`;
  const older = `; it ${sign}, so it may be made for a Proxy-Wasm ABI older than 0.1.0`;
  return [{ code: "NO_ABI", message: sign === undefined ? none : `${none}${older}` }];
}

/** Host functions with their types, by the module that they are imported from. */
type Tables = Readonly<Record<string, Readonly<Record<string, string>>>>;

const WASI_TABLES: Tables = Object.fromEntries(
  WASI_MODULES.map((module) => [module, WASI_SIGNATURES]),
);
const PROXY_WASM_TABLES: Tables = { ...WASI_TABLES, env: HOST_FUNCTION_SIGNATURES };
const HTTP_WASM_TABLES: Tables = {
  ...WASI_TABLES,
  [HTTP_HANDLER_MODULE]: HTTP_HANDLER_SIGNATURES,
};

function importProblems(found: ModuleImport, tables: Tables): ModuleProblem[] {
  const name = shownImport(found);
  if (found.kind !== "function" || found.type === undefined) {
    const message = `the module imports the ${found.kind} "${name}"; it must bring its own`;
    return [{ code: "IMPORTED_STATE", message }];
  }
  const expected = expectedType(found, tables);
  if (expected === undefined) {
    const message = `the module imports the function "${name}", which does not exist here`;
    return [{ code: "UNKNOWN_IMPORT", message }];
  }
  if (isCallableAs(found.type, expected)) return [];
  return [
    {
      code: "IMPORT_SIGNATURE",
      message:
        `the module imports the function "${name}" with a wrong signature: ` +
        `expected ${renderType(expected)}, found ${renderType(found.type)}`,
    },
  ];
}

/** A guest chooses both names, and must not reach what every object inherits. */
function expectedType({ module, name }: ModuleImport, tables: Tables): FunctionType | undefined {
  const table = Object.hasOwn(tables, module) ? tables[module] : undefined;
  if (table === undefined || !Object.hasOwn(table, name)) return undefined;
  return signature(table[name] as string);
}

function memoryProblems(outline: ModuleOutline): ModuleProblem[] {
  const exported = outline.exports.some((each) => each.name === "memory" && each.kind === "memory");
  if (!exported) {
    return [{ code: "NO_MEMORY", message: 'the module does not export its memory as "memory"' }];
  }
  const pages = outline.memory?.pagesMin ?? 0;
  if (pages <= LIMITS.guestPagesMax) return [];
  return [
    {
      code: "MEMORY_TOO_LARGE",
      message: `the module asks for ${pages} pages of memory, the limit is ${LIMITS.guestPagesMax}`,
    },
  ];
}

function allocatorProblems(names: ReadonlySet<string>): ModuleProblem[] {
  if (ALLOCATOR_NAMES.some((name) => names.has(name))) return [];
  return [
    {
      code: "NO_ALLOCATOR",
      message: `the module exports no allocator: neither ${ALLOCATOR_NAMES.join(" nor ")}`,
    },
  ];
}

/** @param called names of functions that take and answer nothing but i32 */
function signatureProblems(
  functions: readonly ModuleExport[],
  called: readonly string[],
): ModuleProblem[] {
  const problems: ModuleProblem[] = [];
  for (const { name, type } of functions) {
    if (type === undefined || !called.includes(name)) continue;
    const plain = [...type.params, ...type.results].every((each) => each === "i32");
    if (plain && type.results.length <= 1) continue;
    problems.push({
      code: "EXPORT_SIGNATURE",
      message:
        `the module exports "${name}" with a wrong signature: ` +
        `expected i32 only, found ${renderType(type)}`,
    });
  }
  return problems;
}
