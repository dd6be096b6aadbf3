import { describe, expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type JsonSchema, jsonSchema } from "./json-schema.ts";

/** Every sub-schema with its path. */
function* walk(schema: JsonSchema, path = "#"): Generator<{ path: string; schema: JsonSchema }> {
  yield { path, schema };
  for (const keyword of ["properties", "anyOf", "items", "additionalProperties"]) {
    const below = schema[keyword];
    if (typeof below !== "object" || below === null) continue;
    const isOne =
      keyword === "additionalProperties" || (keyword === "items" && !Array.isArray(below));
    if (isOne) {
      yield* walk(below as JsonSchema, `${path}/${keyword}`);
      continue;
    }
    for (const [key, child] of Object.entries(below)) {
      yield* walk(child as JsonSchema, `${path}/${keyword}/${key}`);
    }
  }
}

const all = [...walk(jsonSchema())];

/** One of our keys is called "properties" itself; what is below it is no list of keys. */
function isProperty(path: string): boolean {
  return /\/properties\/[^/]+$/.test(path.replaceAll("/properties/properties/", "/properties/_/"));
}

function at(path: string): JsonSchema {
  const found = all.find((entry) => entry.path === `#/${path}`);
  if (found === undefined) throw new Error(`No schema at ${path}`);
  return found.schema;
}

describe("jsonSchema()", () => {
  test("describes every property", () => {
    const bare = all.filter(({ path, schema }) => {
      return isProperty(path) && typeof schema["description"] !== "string";
    });
    expect(bare.map(({ path }) => path)).toEqual([]);
    expect(all.filter(({ path }) => isProperty(path)).length).toBeGreaterThan(80);
  });

  test("closes every mapping of known keys", () => {
    const open = all.filter(({ schema }) => {
      return schema["properties"] !== undefined && schema["additionalProperties"] === undefined;
    });
    expect(open.map(({ path }) => path)).toEqual([]);
    expect(at("properties/routes/items")["additionalProperties"]).toBe(false);
  });

  test("is plain JSON of a draft that YAML editors know, without our own keywords", () => {
    const text = JSON.stringify(jsonSchema());
    expect(JSON.parse(text)).toEqual(jsonSchema());
    expect(jsonSchema()["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
    for (const { schema } of all) expect(Object.keys(schema)).not.toContain("notes");
  });

  test("lists the words of a choice as one enum, with the default", () => {
    expect(at("properties/log/properties/level")).toMatchObject({
      default: "info",
      anyOf: [{ enum: ["debug", "info", "warn", "error"] }, { type: "string" }],
    });
  });

  test("takes variables where only numbers, words or patterns are", () => {
    const variable = { type: "string", pattern: "\\$\\{\\{.*\\}\\}" };
    const paths = [
      "properties/workers",
      "properties/drain",
      "properties/limits/properties/request_body",
      "properties/limits/properties/exchanges_in_flight",
      "properties/routes/items/properties/enabled",
      "properties/routes/items/properties/priority",
      "properties/routes/items/properties/uri",
      "properties/wasm/properties/plugins/items/properties/sha256",
    ];
    for (const path of paths) {
      const variants = at(path)["anyOf"] as JsonSchema[];
      expect({ path, takes: variants.some((v) => v["pattern"] === variable.pattern) }).toEqual({
        path,
        takes: true,
      });
    }
    // Any text is a variable's text as well.
    expect(at("properties/plugins_dir")["type"]).toBe("string");
  });

  test("has patterns that the values of the documentation match", () => {
    const drain = at("properties/drain")["anyOf"] as JsonSchema[];
    const patterns = drain.flatMap(({ pattern }) => (typeof pattern === "string" ? [pattern] : []));
    const accepted = (text: string): boolean =>
      patterns.some((pattern) => new RegExp(pattern).test(text));
    expect(["500ms", "2s", "${{DRAIN:=5s}}", "soon"].map(accepted)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

/** As much of draft 7 as the schema uses; an unknown keyword throws: none is passed over. */
function isValid(schema: JsonSchema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, wanted]) => {
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`Cannot check the keyword ${keyword}`);
    return check(wanted as never, value, schema);
  });
}

type Check = (wanted: never, value: unknown, schema: JsonSchema) => boolean;

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const always: Check = () => true;

const KEYWORDS: Record<string, Check> = {
  $schema: always,
  title: always,
  description: always,
  default: always,
  type: (wanted: string, value) => {
    if (wanted === "integer") return Number.isInteger(value);
    if (wanted === "object") return isMapping(value);
    if (wanted === "array") return Array.isArray(value);
    return wanted === (value === null ? "null" : typeof value);
  },
  enum: (wanted: unknown[], value) => wanted.includes(value),
  anyOf: (wanted: JsonSchema[], value) => wanted.some((variant) => isValid(variant, value)),
  pattern: (wanted: string, value) => typeof value !== "string" || new RegExp(wanted).test(value),
  minimum: (wanted: number, value) => typeof value !== "number" || value >= wanted,
  maximum: (wanted: number, value) => typeof value !== "number" || value <= wanted,
  minLength: (wanted: number, value) => typeof value !== "string" || value.length >= wanted,
  maxLength: (wanted: number, value) => typeof value !== "string" || value.length <= wanted,
  minItems: (wanted: number, value) => !Array.isArray(value) || value.length >= wanted,
  maxItems: (wanted: number, value) => !Array.isArray(value) || value.length <= wanted,
  minProperties: (wanted: number, value) =>
    !isMapping(value) || Object.keys(value).length >= wanted,
  maxProperties: (wanted: number, value) =>
    !isMapping(value) || Object.keys(value).length <= wanted,
  required: (wanted: string[], value) => !isMapping(value) || wanted.every((key) => key in value),
  items: (wanted: JsonSchema | JsonSchema[], value) =>
    !Array.isArray(value) ||
    value.every((item, index) =>
      isValid(Array.isArray(wanted) ? (wanted[index] ?? {}) : wanted, item),
    ),
  properties: (wanted: Record<string, JsonSchema>, value) =>
    !isMapping(value) ||
    Object.entries(wanted).every(([key, schema]) => !(key in value) || isValid(schema, value[key])),
  additionalProperties: (wanted: JsonSchema | false, value, schema) => {
    const known = schema["properties"] ?? {};
    if (!isMapping(value)) return true;
    return Object.entries(value).every(
      ([key, inside]) => Object.hasOwn(known, key) || (wanted !== false && isValid(wanted, inside)),
    );
  },
};

const ROOT = join(import.meta.dir, "../..");

describe("jsonSchema() in an editor", () => {
  test.each([
    "gateway.yaml",
    ...readdirSync(join(ROOT, "examples")).map((name) => `examples/${name}`),
  ])("finds nothing wrong in %s", (name) => {
    const value: unknown = parse(readFileSync(join(ROOT, name), "utf8"));
    expect(isValid(jsonSchema(), value)).toBe(true);
  });

  test.each([
    "every-key",
    "sandbox-defaults",
    "sandbox-errors",
    "environment",
    "apisix",
    "plugin-forms",
    "minimal",
    "unknown-keys",
    "wrong-types",
    "bad-values",
    "planned-words",
    "missing-keys",
  ])("judges the golden file %s like the loader", (name) => {
    const golden = readFileSync(join(ROOT, "test/golden/config", `${name}.txt`), "utf8");
    const [input = "", outcome = ""] = golden.split("----------\n");
    expect(isValid(jsonSchema(), parse(input))).toBe(!outcome.includes(": error: "));
  });
});
