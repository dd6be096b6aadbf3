import type { Work } from "./work.ts";

/** One step of an exchange. */
export interface Stage {
  readonly name: string;
  /** What runs, for who reads the table. */
  readonly what: string;
  readonly work: () => Work | Promise<Work>;
  /** The least that the same work can cost on this engine, written by hand. */
  readonly floor?: { readonly what: string; readonly work: () => Work | Promise<Work> };
}
