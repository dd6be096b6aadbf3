import type { ModuleImport } from "../wasm/binary/outline.ts";

/** Why a module cannot be started. */
export interface ModuleProblem {
  /** Machine-readable: NOT_WASM, TRUNCATED, NO_ABI, UNKNOWN_IMPORT, … */
  readonly code: string;
  /** Says what was found and what would be right. */
  readonly message: string;
}

const NAME_LENGTH_MAX = 200;

/** Names come from the file: a long one must not flood the report. */
export function shown(name: string): string {
  return name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name;
}

export function shownImport({ module, name }: ModuleImport): string {
  return shown(`${module}.${name}`);
}
