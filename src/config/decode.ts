import { Kind, type TSchema } from "@sinclair/typebox";
import { assert } from "../base/assert.ts";
import { decodeQuantity, decodeScalar } from "./decode-scalar.ts";
import { type Findings, quote } from "./findings.ts";
import { type Place, nameOf } from "./place.ts";
import { type ConfigNode, type Entry, type MapNode, entryOf } from "./tree.ts";
import { type DecodedOf, notesOf } from "./vocabulary.ts";
import { expectedBy, foundIn } from "./wording.ts";

/**
 * Checks a tree against a schema and returns its values, durations in ms and sizes in bytes.
 *
 * Why not TypeBox's own Value.Check and Value.Errors: they know no positions, and of a union they
 * say only that it did not match. A test holds this decoder against Value.Check: both accept the
 * same values.
 * @returns the values without the wrong ones; each of those is a finding
 */
export function decode<T extends TSchema>(
  schema: T,
  node: ConfigNode,
  findings: Findings,
): DecodedOf<T> | undefined {
  const root: Place = { parent: undefined, step: "", schema, node };
  return new Decoder(findings).value(root) as DecodedOf<T> | undefined;
}

class Decoder {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  value(place: Place): unknown {
    const { schema, node } = place;
    const notes = notesOf(schema);
    if (notes.unit !== undefined) return decodeQuantity(place, notes.unit, this.#findings);
    const value = this.#byKind(place);
    return notes.keepNode === true ? node : value;
  }

  #byKind(place: Place): unknown {
    const { schema, node } = place;
    switch (schema[Kind]) {
      case "Unknown":
        return node;
      case "Union":
        return this.#union(place, schema["anyOf"] as TSchema[]);
      case "Object":
        return node.kind === "map" ? this.#object(place, node) : this.#wrongType(place);
      case "Record":
        return node.kind === "map" ? this.#record(place, node) : this.#wrongType(place);
      case "Array":
      case "Tuple":
        return node.kind === "list" ? this.#list(place, node.items) : this.#wrongType(place);
      default:
        return node.kind === "scalar"
          ? decodeScalar({ ...place, node }, this.#findings)
          : this.#wrongType(place);
    }
  }

  /** The variant of the node's own kind decides, so that its errors are told, not the union's. */
  #union(place: Place, variants: readonly TSchema[]): unknown {
    const { node } = place;
    if (node.kind === "scalar") return decodeScalar({ ...place, node }, this.#findings);
    const kinds = node.kind === "map" ? ["Object", "Record"] : ["Array", "Tuple"];
    const variant = variants.find((candidate) => kinds.includes(candidate[Kind]));
    if (variant === undefined) return this.#wrongType(place);
    return this.#byKind({ ...place, schema: variant });
  }

  #object(place: Place, node: MapNode): unknown {
    const { schema } = place;
    const properties = schema["properties"] as Record<string, TSchema>;
    const rest = schema["additionalProperties"] as TSchema | false | undefined;
    const decoded: Record<string, unknown> = {};
    this.#checkCount(place, node);
    for (const entry of node.entries) {
      const property = Object.hasOwn(properties, entry.key) ? properties[entry.key] : rest;
      if (property === undefined || property === false) {
        this.#unknownKey(place, entry);
        continue;
      }
      const value = this.#child(place, entry.key, property, entry.value);
      // A closed mapping has only keys of our own; others could be "__proto__".
      if (rest === false) decoded[entry.key] = value;
    }
    for (const key of (schema["required"] as string[] | undefined) ?? []) {
      if (entryOf(node, key) !== undefined) continue;
      const message = `${nameOf(place)} needs the key ${quote(key)}`;
      this.#findings.error("CONFIG_MISSING_KEY", node, message);
    }
    return decoded;
  }

  #record(place: Place, node: MapNode): unknown {
    const patterns = place.schema["patternProperties"] as Record<string, TSchema>;
    const property = Object.values(patterns)[0];
    assert(property !== undefined, "Cannot decode a record without a value schema");
    const decoded = Object.create(null) as Record<string, unknown>;
    for (const entry of node.entries) {
      decoded[entry.key] = this.#child(place, entry.key, property, entry.value);
    }
    return decoded;
  }

  #list(place: Place, items: readonly ConfigNode[]): unknown {
    const { schema } = place;
    const tuple = schema[Kind] === "Tuple" ? (schema["items"] as TSchema[]) : undefined;
    const least = (schema["minItems"] as number | undefined) ?? 0;
    if (tuple !== undefined ? items.length !== tuple.length : items.length < least) {
      const wanted = tuple === undefined ? "a list that is not empty" : expectedBy(schema);
      const found = items.length === 0 ? "an empty one" : `a list of ${items.length}`;
      const message = `${nameOf(place)} takes ${wanted}, not ${found}`;
      this.#findings.error("CONFIG_BAD_VALUE", place.node, message);
      return undefined;
    }
    return items.map((item, index) => {
      const itemSchema = tuple?.[index] ?? (schema["items"] as TSchema);
      return this.#child(place, index, itemSchema, item);
    });
  }

  #child(parent: Place, step: string | number, schema: TSchema, node: ConfigNode): unknown {
    return this.value({ parent, step, schema, node });
  }

  #checkCount(place: Place, node: MapNode): void {
    const least = (place.schema["minProperties"] as number | undefined) ?? 0;
    const most = (place.schema["maxProperties"] as number | undefined) ?? Number.POSITIVE_INFINITY;
    const count = node.entries.length;
    if (count >= least && count <= most) return;
    const found = count === 0 ? "an empty mapping" : `a mapping of ${count}`;
    const wanted = least === most ? "one key" : "a key at least";
    const message = `${nameOf(place)} takes ${wanted}, not ${found}`;
    const second = node.entries[1];
    // The usual reason: a configuration that is not indented deeper than its name.
    const hint =
      count > most ? "indent what belongs to the first key deeper than the key" : undefined;
    this.#findings.error(
      "CONFIG_BAD_VALUE",
      count > most ? (second?.keySpan ?? node) : node,
      message,
      hint,
    );
  }

  #unknownKey(place: Place, { key, keySpan }: Entry): void {
    const where = place.parent === undefined ? "" : ` in ${nameOf(place)}`;
    const known = Object.keys(place.schema["properties"] as object);
    if (notesOf(place.schema).planned?.includes(key) === true) {
      const message = `key ${quote(key)}${where} is not supported by this version`;
      this.#findings.error("CONFIG_UNSUPPORTED", keySpan, message);
      return;
    }
    const hint = this.#findings.didYouMean(key, known) ?? `known keys: ${known.join(", ")}`;
    this.#findings.error("CONFIG_UNKNOWN_KEY", keySpan, `unknown key ${quote(key)}${where}`, hint);
  }

  #wrongType(place: Place): undefined {
    const { node, schema } = place;
    if (node.kind === "scalar" && node.unresolved === true) return undefined;
    const message = `${nameOf(place)} takes ${expectedBy(schema)}, not ${foundIn(node)}`;
    this.#findings.error("CONFIG_WRONG_TYPE", node, message, hintFor(place));
    return undefined;
  }
}

/** The usual slips: a key with nothing behind it, one value for a list, a list for one value. */
function hintFor({ node, schema, parent, step }: Place): string | undefined {
  if (node.kind === "scalar" && node.value === null) return "remove the key to leave it out";
  if (node.kind === "scalar" && schema[Kind] === "Array") {
    return /^[\w./*:-]+$/.test(node.written) ? `write [${node.written}]` : undefined;
  }
  const siblings = parent?.schema["properties"] as Record<string, TSchema> | undefined;
  if (node.kind !== "list" || siblings === undefined) return undefined;
  return Object.hasOwn(siblings, `${step}s`) ? `a list goes under "${step}s"` : undefined;
}
