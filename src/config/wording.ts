import { Kind, type TSchema } from "@sinclair/typebox";
import { quote } from "./findings.ts";
import type { ConfigNode } from "./tree.ts";
import { notesOf } from "./vocabulary.ts";

/** What a schema accepts, in words: TypeBox says only "Expected union value". */
export function expectedBy(schema: TSchema): string {
  const { expected } = notesOf(schema);
  if (expected !== undefined) return expected;
  switch (schema[Kind]) {
    case "Union":
      return expectedByUnion(schema["anyOf"] as TSchema[]);
    case "Literal":
      return String(schema["const"]);
    case "Integer":
      return `a whole number${range(schema)}`;
    case "Number":
      return `a number${range(schema)}`;
    case "String":
      return `text${lengths(schema)}`;
    case "Boolean":
      return "true or false";
    case "Null":
      return "nothing";
    case "Array":
      return "a list";
    case "Tuple":
      return `a list of ${(schema["items"] as TSchema[]).length}`;
    case "Object":
    case "Record":
      return "a mapping";
    default:
      return "another value";
  }
}

function expectedByUnion(variants: readonly TSchema[]): string {
  const words = [...new Set(variants.map(expectedBy))];
  const last = words.at(-1) ?? "nothing";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

function range(schema: TSchema): string {
  const low = schema["minimum"] as number | undefined;
  const high = schema["maximum"] as number | undefined;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return `, ${low} or more`;
  return high === undefined ? "" : `, at most ${high}`;
}

function lengths(schema: TSchema): string {
  const least = (schema["minLength"] as number | undefined) ?? 0;
  const most = schema["maxLength"] as number | undefined;
  if (most !== undefined) return ` of ${least} to ${most} characters`;
  return least > 0 ? " that is not empty" : "";
}

/** What was found, in words. The value of a variable is not shown: it may be a secret. */
export function foundIn(node: ConfigNode): string {
  if (node.kind === "list") return "a list";
  if (node.kind === "map") return "a mapping";
  if (node.substituted) return `the value of ${node.written.slice(0, 60)}`;
  if (node.value === null) return "nothing";
  if (typeof node.value === "string") return quote(node.value);
  return node.written.slice(0, 60);
}
