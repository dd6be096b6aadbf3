import {
  type StaticDecode,
  type TInteger,
  type TLiteral,
  type TNumber,
  type TObject,
  type TProperties,
  type TSchema,
  type TString,
  type TTransform,
  type TUnion,
  Type,
} from "@sinclair/typebox";
import { unreachable } from "../base/assert.ts";
import type { ConfigNode } from "./tree.ts";
import { DURATION_PATTERN, SIZE_PATTERN, parseDuration, parseSize } from "./units.ts";

/**
 * The building blocks of schema.ts: TypeBox schemas with `notes`, which TypeBox and JSON Schema
 * ignore and the decoder, the diagnostics and docs/CONFIG.md read.
 */
export interface Notes {
  /** What one mapping of this kind is called in a diagnostic: `route "api"`. */
  readonly noun?: string;
  /** The accepted values in words, when the schema alone would say too little. */
  readonly expected?: string;
  /** Words of APISIX or of later versions: an error like any other, but not called a typo. */
  readonly planned?: readonly string[];
  readonly unit?: "duration" | "size";
  /** Bounds of a value with a unit, in ms or bytes. */
  readonly least?: number;
  readonly most?: number;
  /** Pattern of the JSON Schema alone, where the loader checks more than a pattern can. */
  readonly editorPattern?: string;
  /** The decoder checks the value, and then hands over its node as it is. */
  readonly keepNode?: true;
  /** For docs/CONFIG.md: where a mapping's keys are described already. */
  readonly sameKeysAs?: string;
}

export function notesOf(schema: TSchema): Notes {
  return (schema["notes"] as Notes | undefined) ?? {};
}

/** A mapping without other keys than these. */
export function closed<T extends TProperties>(
  properties: T,
  options: { description: string; notes?: Notes; minProperties?: number },
): TObject<T> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(
  words: T,
  options: { description: string; default?: T[number]; notes?: Notes },
): TUnion<{ -readonly [K in keyof T]: TLiteral<T[K]> }> {
  const literals = words.map((word) => Type.Literal(word));
  return Type.Union(literals, options) as unknown as TUnion<{
    -readonly [K in keyof T]: TLiteral<T[K]>;
  }>;
}

/** `500ms`, `2s`, or a bare number of seconds; decodes to ms. */
export function Duration(options: {
  description: string;
  default?: string;
  /** ms */
  minimum?: number;
  /** ms */
  maximum?: number;
}): Quantity {
  const { minimum, maximum, ...rest } = options;
  const written = Type.Union(
    [Type.Number({ minimum: 0 }), Type.String({ pattern: DURATION_PATTERN })],
    {
      ...rest,
      notes: {
        unit: "duration",
        expected: "a duration such as 500ms, 2s, 1m or 1h",
        ...(minimum === undefined ? {} : { least: minimum }),
        ...(maximum === undefined ? {} : { most: maximum }),
      },
    },
  );
  const transformed = Type.Transform(written)
    .Decode((value) => valueOf(parseDuration(value)))
    .Encode((ms) => `${ms}ms`);
  return transformed as unknown as Quantity;
}

/** `10MiB`, `64KiB`, or a bare number of bytes; decodes to bytes. */
export function Size(options: {
  description: string;
  default: string;
  minimum: number;
  maximum: number;
}): Quantity {
  const written = Type.Union(
    [Type.Integer({ minimum: 0 }), Type.String({ pattern: SIZE_PATTERN })],
    {
      description: options.description,
      default: options.default,
      notes: {
        unit: "size",
        expected: "a size such as 10MiB, 64KiB or 1GiB",
        least: options.minimum,
        most: options.maximum,
      },
    },
  );
  const transformed = Type.Transform(written)
    .Decode((value) => valueOf(parseSize(value)))
    .Encode((bytes) => bytes);
  return transformed as unknown as Quantity;
}

export type Quantity = TTransform<TUnion<[TNumber | TInteger, TString]>, number>;

/** A value of free form, or one that is read by code of its own: decodes to its node. */
export function kept<T extends TSchema>(schema: T): TTransform<T, ConfigNode> {
  const notes: Notes = { ...notesOf(schema), keepNode: true };
  const transformed = Type.Transform({ ...schema, notes })
    .Decode((): ConfigNode => unreachable("a kept node is decoded" as never))
    .Encode(() => unreachable("a kept node is encoded" as never));
  return transformed as unknown as TTransform<T, ConfigNode>;
}

/**
 * What the decoder returns: where the file has an error, the value is missing, so that the checks
 * after it can go on with the rest.
 */
export type Decoded<T> = T extends ConfigNode
  ? T
  : T extends readonly (infer Item)[]
    ? readonly (Decoded<Item> | undefined)[]
    : T extends object
      ? { readonly [K in keyof T]?: Decoded<T[K]> | undefined }
      : T;

export type DecodedOf<T extends TSchema> = Decoded<StaticDecode<T>>;

function valueOf(parsed: ReturnType<typeof parseDuration>): number {
  if ("expected" in parsed) throw new RangeError(`Cannot read it as ${parsed.expected}`);
  return parsed.value;
}
