import { join } from "node:path";

/** A filter that runs in every contestant that can run WebAssembly. */
export type Filter = "rust" | "c" | "assemblyscript" | "body";

export interface Guest {
  /** Path of the module. */
  readonly module: string;
  /** An object is handed to the module as JSON. */
  readonly configuration: string | Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dir, "../..");

/** What header filters put on requests; each puts x-guest on responses. */
export const HEADER = { name: "x-tenant", value: "blue" };
const PAIR = `${HEADER.name}: ${HEADER.value}`;

/** Responses with this word in their body are withheld. */
export const FORBIDDEN = "quicksilver";

export const GUESTS: Readonly<Record<Filter, Guest>> = {
  rust: { module: join(ROOT, "test/guests/rust/add-header.wasm"), configuration: PAIR },
  c: { module: join(ROOT, "test/guests/c/add-header.wasm"), configuration: PAIR },
  assemblyscript: {
    module: join(ROOT, "plugins/add-header.wasm"),
    configuration: { name: "x-guest", value: "as", on: "response" },
  },
  // Takes the whole body into its memory and looks for the word in it.
  body: {
    module: join(ROOT, "test/guests/rust-sdk/examples.wasm"),
    configuration: `body ${FORBIDDEN}`,
  },
};
