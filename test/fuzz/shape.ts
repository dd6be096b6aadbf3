/** What a random module consists of before it has code. */
import type { Type } from "./operators.ts";

export interface Signature {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

export interface Shape {
  readonly types: readonly Signature[];
  /** Type of every function, imported ones first. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly globals: readonly { readonly type: Type; readonly mutable: boolean }[];
  /** Index of the counter that ends every loop and recursion. */
  readonly limitGlobal: number;
  readonly memory: { readonly min: number; readonly max: number | undefined } | undefined;
  /** Sizes of the data segments. */
  readonly data: readonly { readonly bytes: Uint8Array; readonly offset: number | undefined }[];
  readonly tables: readonly {
    readonly type: "funcref" | "externref";
    readonly min: number;
    readonly max: number | undefined;
  }[];
  /** Functions of each element segment, and where it goes: a table's entry, or nowhere yet. */
  readonly elements: readonly {
    readonly functions: readonly number[];
    readonly offset: number | undefined;
  }[];
  /** Types of the tags. */
  readonly tags: readonly number[];
  readonly exceptions: "legacy" | "final" | "none";
}
