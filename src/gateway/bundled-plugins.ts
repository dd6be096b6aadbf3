import addHeader from "../../plugins/add-header.wasm" with { type: "file" };

/**
 * Modules that the executable brings along, so that it works alone in an empty folder. A module of
 * that name in `plugins_dir` wins.
 */
export const BUNDLED_PLUGINS: ReadonlyMap<string, string> = new Map([["add-header", addHeader]]);
