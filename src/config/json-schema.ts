import { Kind, type TSchema } from "@sinclair/typebox";
import { GatewaySchema } from "./schema.ts";
import { notesOf } from "./vocabulary.ts";

export type JsonSchema = { [keyword: string]: unknown };

/** A value out of environment variables, wherever not every string is accepted anyway. */
const VARIABLE: JsonSchema = {
  type: "string",
  pattern: "\\$\\{\\{.*\\}\\}",
  description: "Environment variables: ${{NAME}} or ${{NAME:=default}}",
};

/**
 * The JSON Schema (draft 7, which YAML editors read) of gateway.yaml, made from the schemas that
 * the loader checks with.
 */
export function jsonSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Sluice gateway",
    ...convert(GatewaySchema),
  };
}

function convert(schema: TSchema): JsonSchema {
  switch (schema[Kind]) {
    case "Object":
    case "Record":
      return mapping(schema);
    case "Array":
      return { ...basics(schema), type: "array", items: convert(schema["items"] as TSchema) };
    case "Tuple": {
      const items = schema["items"] as TSchema[];
      const count = items.length;
      return {
        ...basics(schema),
        type: "array",
        items: items.map(convert),
        minItems: count,
        maxItems: count,
      };
    }
    case "Union":
      return union(schema);
    case "Unknown":
      return basics(schema);
    default:
      return withVariable(schema, scalar(schema));
  }
}

function mapping(schema: TSchema): JsonSchema {
  const converted: JsonSchema = { ...basics(schema), type: "object" };
  const properties = schema["properties"] as Record<string, TSchema> | undefined;
  if (properties !== undefined) {
    converted["properties"] = Object.fromEntries(
      Object.entries(properties).map(([key, property]) => [key, convert(property)]),
    );
    const rest = schema["additionalProperties"] as TSchema | false;
    converted["additionalProperties"] = rest === false ? false : convert(rest);
    return converted;
  }
  const patterns = schema["patternProperties"] as Record<string, TSchema>;
  const [values] = Object.values(patterns);
  if (values !== undefined) converted["additionalProperties"] = convert(values);
  return converted;
}

/** Words as one enum, which editors complete; other variants side by side. */
function union(schema: TSchema): JsonSchema {
  const variants = schema["anyOf"] as TSchema[];
  const words = variants.filter((variant) => variant[Kind] === "Literal");
  const others = variants.filter((variant) => variant[Kind] !== "Literal");
  const constants = words.map((word) => word["const"] as unknown);
  const converted = others.map((variant) =>
    isScalar(variant) ? scalar(variant) : convert(variant),
  );
  if (constants.length > 0) converted.unshift({ enum: constants });
  if (variants.some(isScalar) && !variants.some(takesAnyText)) converted.push(VARIABLE);
  return { ...basics(schema), anyOf: converted };
}

function scalar(schema: TSchema): JsonSchema {
  const { editorPattern } = notesOf(schema);
  const { type, const: constant, pattern } = schema as JsonSchema;
  return {
    ...basics(schema),
    ...(type === undefined ? {} : { type }),
    ...(constant === undefined ? {} : { enum: [constant] }),
    ...(pattern === undefined && editorPattern === undefined
      ? {}
      : { pattern: pattern ?? editorPattern }),
  };
}

function withVariable(schema: TSchema, converted: JsonSchema): JsonSchema {
  if (takesAnyText(schema) || schema[Kind] === "Null") return converted;
  const { description, default: fallback, ...rest } = converted;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [rest, VARIABLE],
  };
}

function isScalar(schema: TSchema): boolean {
  return !["Object", "Record", "Array", "Tuple", "Union"].includes(schema[Kind]);
}

function takesAnyText(schema: TSchema): boolean {
  if (schema[Kind] !== "String") return false;
  return schema["pattern"] === undefined && notesOf(schema).editorPattern === undefined;
}

/** Keywords that mean the same here and there. */
function basics(schema: TSchema): JsonSchema {
  const kept = [
    "description",
    "default",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "minProperties",
    "maxProperties",
  ];
  return Object.fromEntries(
    kept.flatMap((key) => (schema[key] === undefined ? [] : [[key, schema[key] as unknown]])),
  );
}
