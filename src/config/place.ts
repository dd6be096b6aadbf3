import type { TSchema } from "@sinclair/typebox";
import { quote } from "./findings.ts";
import { type ConfigNode, entryOf } from "./tree.ts";
import { notesOf } from "./vocabulary.ts";

/** Where the decoder is: one step of the way from the root, for the words of a diagnostic. */
export interface Place {
  readonly parent: Place | undefined;
  readonly step: string | number;
  readonly schema: TSchema;
  readonly node: ConfigNode;
}

/**
 * `"timeout.read" of upstream "app"`, `route "api"`, `"routes[3].uri"`, or "the file" for the root:
 * as close as possible to the names that the author of the file uses.
 */
export function nameOf(place: Place): string {
  let path = "";
  let at: Place | undefined = place;
  for (; at?.parent !== undefined; at = at.parent) {
    const named = identityOf(at);
    if (named !== undefined) return path === "" ? named : `"${path}" of ${named}`;
    if (typeof at.step === "number") path = `[${at.step}]${separated(path)}`;
    else path = `${at.step}${separated(path)}`;
  }
  return path === "" ? "the file" : `"${path}"`;
}

function separated(path: string): string {
  return path === "" || path.startsWith("[") ? path : `.${path}`;
}

function identityOf(place: Place): string | undefined {
  const { noun } = notesOf(place.schema);
  if (noun === undefined) return undefined;
  for (const key of ["id", "name"]) {
    const node = entryOf(place.node, key)?.value;
    if (node?.kind === "scalar" && node.written !== "") return `${noun} ${quote(node.written)}`;
  }
  return undefined;
}
