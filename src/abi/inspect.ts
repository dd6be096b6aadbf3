import { LIMITS } from "../base/limits.ts";
import { ModuleError } from "../wasm/binary/module-error.ts";
import {
  type ModuleExport,
  type ModuleImport,
  type ModuleOutline,
  readOutline,
  renderType,
} from "../wasm/binary/outline.ts";
import { instrument } from "../wasm/instrument/instrument.ts";
import { refuseObjects } from "../wasm/module.ts";
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

/** What can be told about a plugin's module without starting it. Plain data. */
export interface ModuleReport {
  readonly byteLength: number;
  readonly abi: `proxy-wasm ${AbiVersion}` | "http-wasm" | "unknown";
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Names of the Proxy-Wasm callbacks that it exports. */
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

export interface ModuleProblem {
  /** Machine-readable: NOT_WASM, TRUNCATED, NO_ABI, UNKNOWN_IMPORT, … */
  readonly code: string;
  /** Says what was found and what would be right. */
  readonly message: string;
}

/** It may still be put back: only an instance that has run that code cannot. */
const MAY_CHANGE = "its code can change its tables or drop segments: when it has, it cannot";

const PROBLEMS_MAX = 50;
const NAME_LENGTH_MAX = 200;

/** Looks at a module from every side; never throws, whatever the bytes are. */
export function inspectModule(bytes: Uint8Array): ModuleReport {
  let outline: ModuleOutline | undefined;
  try {
    outline = readOutline(bytes);
    return { ...inspectOutline(outline), obstacles: obstaclesOf(bytes) };
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    // What the outline shows is nearer to what its author did.
    const report = outline && inspectOutline(outline);
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
export function inspectOutline(outline: ModuleOutline): ModuleReport {
  const functions = outline.exports.filter((each) => each.kind === "function");
  const names = new Set(functions.map((each) => each.name));
  const version = abiVersionOf(names);
  const isHttpWasm = version === undefined && (names.has("handle_request") || importsHttp(outline));
  const missing = outline.imports.filter(
    (each) => each.kind === "function" && expectedType(each) === undefined && !isHttp(each),
  );
  const callbacks: readonly string[] = [...CALLBACK_NAMES, ...UNCALLED_CALLBACK_NAMES];
  return {
    byteLength: outline.byteLength,
    abi: version === undefined ? (isHttpWasm ? "http-wasm" : "unknown") : `proxy-wasm ${version}`,
    imports: outline.imports,
    exports: outline.exports,
    callbacks: callbacks.filter((name) => names.has(name)),
    missing: missing.map(({ module, name }) => ({ module, name })),
    pages: outline.memory && { min: outline.memory.pagesMin, max: outline.memory.pagesMax },
    obstacles: undefined,
    problems: bounded([
      ...(isHttpWasm ? httpWasmProblems(outline) : abiProblems(names, version)),
      ...outline.imports.flatMap((each) => importProblems(each, isHttpWasm)),
      ...memoryProblems(outline),
      ...(isHttpWasm ? [] : exportProblems(functions, names)),
    ]),
  };
}

/** A module can have 65,536 imports, and each of them can be wrong. */
function bounded(problems: ModuleProblem[]): ModuleProblem[] {
  const more = problems.length - PROBLEMS_MAX;
  if (more <= 0) return problems;
  const rest = { code: "MORE", message: `the module has ${more} more problems` };
  return [...problems.slice(0, PROBLEMS_MAX), rest];
}

function abiProblems(names: ReadonlySet<string>, version: AbiVersion | undefined): ModuleProblem[] {
  if (version !== undefined) return [];
  const marker = [...names].find((name) => name.startsWith("proxy_abi_version_"));
  const known = "0.1.0, 0.2.0 and 0.2.1";
  return [
    {
      code: "NO_ABI",
      message:
        marker === undefined
          ? `the module has no ABI marker: it exports no proxy_abi_version_…; known are ${known}`
          : `the module exports ${marker}, an ABI that is not known; known are ${known}`,
    },
  ];
}

/** Functions of the drafts of 2022, which nobody implements any more. */
const HTTP_WASM_DRAFT: ReadonlySet<string> = new Set([
  "await_response",
  "next",
  "send_response",
  "get_path",
  "set_path",
  "get_request_header",
  "read_request_body",
  "read_response_body",
  "set_response_header",
]);

function httpWasmProblems(outline: ModuleOutline): ModuleProblem[] {
  const draft = outline.imports.find((each) => isHttp(each) && HTTP_WASM_DRAFT.has(each.name));
  if (draft !== undefined) {
    return [
      {
        code: "HTTP_WASM_DRAFT",
        message: `the module is made for a draft of http-wasm: it imports "${shown(draft)}"`,
      },
    ];
  }
  return [
    {
      code: "HTTP_WASM",
      message: "the module is an http-wasm plugin; this version runs Proxy-Wasm",
    },
  ];
}

function importProblems(found: ModuleImport, isHttpWasm: boolean): ModuleProblem[] {
  if (found.kind !== "function" || found.type === undefined) {
    return [
      {
        code: "IMPORTED_STATE",
        message: `the module imports the ${found.kind} "${shown(found)}"; it must bring its own`,
      },
    ];
  }
  if (isHttp(found) && isHttpWasm) return [];
  const expected = expectedType(found);
  if (expected === undefined) {
    return [
      {
        code: "UNKNOWN_IMPORT",
        message: `the module imports the function "${shown(found)}", which does not exist here`,
      },
    ];
  }
  if (isCallableAs(found.type, expected)) return [];
  return [
    {
      code: "IMPORT_SIGNATURE",
      message:
        `the module imports the function "${shown(found)}" with a wrong signature: ` +
        `expected ${renderType(expected)}, found ${renderType(found.type)}`,
    },
  ];
}

function expectedType({ module, name }: ModuleImport): ReturnType<typeof signature> | undefined {
  const table: Readonly<Record<string, string>> =
    module === "env"
      ? HOST_FUNCTION_SIGNATURES
      : WASI_MODULES.includes(module)
        ? WASI_SIGNATURES
        : {};
  // A guest chooses the name, and must not reach what every object inherits.
  return Object.hasOwn(table, name) ? signature(table[name] as string) : undefined;
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

function exportProblems(
  functions: readonly ModuleExport[],
  names: ReadonlySet<string>,
): ModuleProblem[] {
  const problems: ModuleProblem[] = [];
  if (!ALLOCATOR_NAMES.some((name) => names.has(name))) {
    problems.push({
      code: "NO_ALLOCATOR",
      message: `the module exports no allocator: neither ${ALLOCATOR_NAMES.join(" nor ")}`,
    });
  }
  const called: readonly string[] = [...CALLBACK_NAMES, ...ALLOCATOR_NAMES, ...START_NAMES];
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

function importsHttp(outline: ModuleOutline): boolean {
  return outline.imports.some(isHttp);
}

/** The second spelling is the drafts'. */
function isHttp(found: ModuleImport): boolean {
  return found.module === "http_handler" || found.module === "http-handler";
}

/** Names come from the file: a long one must not flood the report. */
function shown({ module, name }: ModuleImport): string {
  const full = `${module}.${name}`;
  return full.length > NAME_LENGTH_MAX ? `${full.slice(0, NAME_LENGTH_MAX)}…` : full;
}
