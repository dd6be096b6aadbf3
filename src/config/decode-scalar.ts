import { Kind, type TSchema } from "@sinclair/typebox";
import type { Findings } from "./findings.ts";
import { resolvePlain } from "./plain-scalar.ts";
import { type Place, nameOf } from "./place.ts";
import type { Scalar, ScalarNode } from "./tree.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";
import { notesOf } from "./vocabulary.ts";
import { expectedBy, foundIn } from "./wording.ts";

interface ScalarPlace extends Place {
  readonly node: ScalarNode;
}

/** A scalar against a schema of scalars, or against those variants of a union. */
export function decodeScalar(place: ScalarPlace, findings: Findings): unknown {
  const { schema, node } = place;
  if (node.unresolved === true) return undefined;
  const variants = schema[Kind] === "Union" ? (schema["anyOf"] as TSchema[]) : [schema];
  let rightKind = false;
  for (const variant of variants) {
    for (const candidate of candidatesOf(node)) {
      const verdict = compare(variant, candidate);
      if (verdict === "match") return candidate;
      if (verdict === "value") rightKind = true;
    }
  }
  refuse(place, rightKind, findings);
  return undefined;
}

/** A duration to ms, or a size to bytes. */
export function decodeQuantity(
  place: Place,
  unit: "duration" | "size",
  findings: Findings,
): unknown {
  const { node, schema } = place;
  if (node.kind === "scalar" && node.unresolved === true) return undefined;
  const name = nameOf(place);
  const written = node.kind === "scalar" ? node.value : null;
  if (typeof written !== "string" && typeof written !== "number") {
    const message = `${name} takes ${expectedBy(schema)}, not ${foundIn(node)}`;
    findings.error("CONFIG_WRONG_TYPE", node, message);
    return undefined;
  }
  const parsed = unit === "duration" ? parseDuration(written) : parseSize(written);
  const expected = "expected" in parsed ? parsed.expected : outside(parsed.value, unit, place);
  if (expected === undefined && "value" in parsed) return parsed.value;
  findings.error("CONFIG_BAD_VALUE", node, `${name} takes ${expected}, not ${foundIn(node)}`);
  return undefined;
}

/** What would be right, when a duration or a size is beyond its bounds. */
function outside(value: number, unit: "duration" | "size", place: Place): string | undefined {
  const { least = 0, most = Number.POSITIVE_INFINITY } = notesOf(place.schema);
  if (value >= least && value <= most) return undefined;
  const format = unit === "duration" ? formatDuration : formatSize;
  return `a ${unit} from ${format(least)} to ${format(most)}`;
}

/** A value out of the environment may also be meant as what it would be without quotes. */
function candidatesOf(node: ScalarNode): Scalar[] {
  if (!node.substituted || typeof node.value !== "string") return [node.value];
  return [node.value, resolvePlain(node.value)];
}

/** kind: of another type; value: of the right type, but not one of the accepted values. */
function compare(schema: TSchema, value: Scalar): "match" | "value" | "kind" {
  switch (schema[Kind]) {
    case "Literal":
      if (value === schema["const"]) return "match";
      return typeof value === typeof schema["const"] ? "value" : "kind";
    case "Null":
      return value === null ? "match" : "kind";
    case "Boolean":
      return typeof value === "boolean" ? "match" : "kind";
    case "String":
      if (typeof value !== "string") return "kind";
      return isText(schema, value) ? "match" : "value";
    case "Integer":
    case "Number":
      if (typeof value !== "number") return "kind";
      return isNumber(schema, value) ? "match" : "value";
    default:
      return "kind";
  }
}

function isText(schema: TSchema, value: string): boolean {
  const least = (schema["minLength"] as number | undefined) ?? 0;
  const most = (schema["maxLength"] as number | undefined) ?? Number.POSITIVE_INFINITY;
  if (value.length < least || value.length > most) return false;
  const pattern = schema["pattern"] as string | undefined;
  return pattern === undefined || regExpOf(pattern).test(value);
}

function isNumber(schema: TSchema, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (schema[Kind] === "Integer" && !Number.isInteger(value)) return false;
  const least = (schema["minimum"] as number | undefined) ?? Number.NEGATIVE_INFINITY;
  const most = (schema["maximum"] as number | undefined) ?? Number.POSITIVE_INFINITY;
  return value >= least && value <= most;
}

/** The schema's patterns are few, and each is used for every route. */
const compiled = new Map<string, RegExp>();

function regExpOf(pattern: string): RegExp {
  let regExp = compiled.get(pattern);
  if (regExp === undefined) {
    regExp = new RegExp(pattern);
    compiled.set(pattern, regExp);
  }
  return regExp;
}

function refuse(place: ScalarPlace, rightKind: boolean, findings: Findings): void {
  const { schema, node } = place;
  const name = nameOf(place);
  const notes = notesOf(schema);
  if (typeof node.value === "string" && notes.planned?.includes(node.value) === true) {
    const message = `${name}: ${foundIn(node)} is not supported by this version`;
    findings.error("CONFIG_UNSUPPORTED", node, message);
    return;
  }
  const code = rightKind ? "CONFIG_BAD_VALUE" : "CONFIG_WRONG_TYPE";
  const message = `${name} takes ${expectedBy(schema)}, not ${foundIn(node)}`;
  findings.error(code, node, message, hintFor(place, findings));
}

function hintFor(place: ScalarPlace, findings: Findings): string | undefined {
  const { schema, node } = place;
  const { value } = node;
  if (node.substituted) return undefined;
  if (value === null) return "remove the key to leave it out";
  const variants = schema[Kind] === "Union" ? (schema["anyOf"] as TSchema[]) : [schema];
  if (typeof value === "string") {
    const words = variants
      .filter((variant) => variant[Kind] === "Literal")
      .map((variant) => String(variant["const"]));
    const unquoted = resolvePlain(value);
    const meant = typeof unquoted === "string" ? "kind" : anyMatch(variants, unquoted);
    if (meant === "match") return `write ${value} without quotes`;
    return findings.didYouMean(value, words);
  }
  // Quotes would not help where the text has to look otherwise.
  const texts = variants.filter((variant) =>
    new RegExp(notesOf(variant).editorPattern ?? "").test(node.written),
  );
  return anyMatch(texts, node.written) === "match"
    ? `write "${node.written}" in quotes`
    : undefined;
}

function anyMatch(variants: readonly TSchema[], value: Scalar): "match" | "kind" {
  return variants.some((variant) => compare(variant, value) === "match") ? "match" : "kind";
}
