import { WASI_MODULES } from "../../src/abi/wasi/signatures.ts";
import type { Case } from "./case.ts";

/** The same cases for each of the names that modules import WASI by. */
export function underBothNames(make: (module: string) => readonly Case[]): Case[] {
  return WASI_MODULES.flatMap((module) =>
    make(module).map((each) => ({ ...each, name: `${each.name}, from ${module}` })),
  );
}
