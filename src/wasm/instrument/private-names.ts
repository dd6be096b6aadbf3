import type { Layout } from "./layout.ts";

/** Names of the exports that a rewrite adds. */
export interface AddedNames {
  readonly start: string | undefined;
  readonly initialize: string | undefined;
  readonly setFuel: string | undefined;
  readonly capture: string;
  readonly restore: string;
  readonly pages: string | undefined;
  /** Of the module's own mutable globals, in the order of their indices. */
  readonly globals: readonly string[];
}

/** No guest has them by accident; for one that has them on purpose the names get longer. */
export function nameExports(
  taken: ReadonlySet<string>,
  layout: Layout,
  options: { readonly hasStart: boolean; readonly mutableGlobals: readonly number[] },
): AddedNames {
  const free = (wanted: string): string => {
    let name = `sluice:${wanted}`;
    // Ends: every turn makes the name longer, and there are finitely many exports.
    while (taken.has(name)) name += "'";
    return name;
  };
  const { functions, pages } = layout;
  return {
    start: options.hasStart ? free("start") : undefined,
    initialize: functions.initialize === undefined ? undefined : free("initialize"),
    setFuel: functions.setFuel === undefined ? undefined : free("set-fuel"),
    capture: free("capture"),
    restore: free("restore"),
    pages: pages === undefined ? undefined : free("pages"),
    globals: options.mutableGlobals.map((global) => free(`global:${global}`)),
  };
}
