import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Kind, type TSchema } from "@sinclair/typebox";
import { assert } from "../base/assert.ts";
import { print } from "../base/standard-streams.ts";
import { DIAGNOSTIC_CODES } from "./codes.ts";
import { PROXY_REWRITE, ProxyRewriteSchema } from "./proxy-rewrite.ts";
import { GatewaySchema } from "./schema.ts";
import { notesOf } from "./vocabulary.ts";

/**
 * docs/CONFIG.md: the prose of document.md, with tables from the schema and the diagnostics' codes
 * in its places. A test fails when the file is another one:
 *
 *   node_modules/.bin/bun src/config/document.ts > docs/CONFIG.md
 */
export function configDocument(): string {
  const parts: Readonly<Record<string, string>> = {
    keys: new Sections().of(GatewaySchema, "").join("\n"),
    "proxy-rewrite": new Sections().of(ProxyRewriteSchema, PROXY_REWRITE).join("\n"),
    diagnostics: diagnosticsTable(),
    example: readFileSync(join(import.meta.dir, "../../examples/complete.yaml"), "utf8"),
  };
  const prose = readFileSync(join(import.meta.dir, "document.md"), "utf8");
  return prose.replace(/^<<([a-z-]+)>>\n/gm, (_line, name: string) => {
    const part = parts[name];
    assert(part !== undefined, `Cannot fill <<${name}>> in document.md`);
    return part;
  });
}

/** One table for each mapping; a mapping that occurs twice is described where it occurs first. */
class Sections {
  /** Paths by the mapping's schema as text: TypeBox copies a schema to mark it as optional. */
  readonly #described = new Map<string, string>();

  of(schema: TSchema, path: string): string[] {
    this.#described.set(JSON.stringify(schema), path);
    const properties = Object.entries(schema["properties"] as Record<string, TSchema>);
    const required = new Set((schema["required"] as string[] | undefined) ?? []);
    const rows = properties.map(([key, property]) => {
      const needed = required.has(key) ? " (needed)" : "";
      const cells = [`\`${key}\`${needed}`, typeOf(property), defaultOf(property)];
      return `| ${cells.join(" | ")} | ${escaped(property.description ?? "")} |`;
    });
    const title = path === "" ? "Top level" : `\`${path}\``;
    const table = ["| key | type | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
    const { planned } = notesOf(schema);
    const words = (planned ?? []).map((word) => `\`${word}\``).join(", ");
    const later = words === "" ? "" : `\nNot in this version: ${words}.\n`;
    const section = `### ${title}\n\n${escaped(schema.description ?? "")}.\n\n${table}\n${later}`;
    const below = properties.flatMap(([key, property]) =>
      this.#below(property, path === "" ? key : `${path}.${key}`),
    );
    return [section, ...below];
  }

  #below(schema: TSchema, path: string): string[] {
    if (notesOf(schema).keepNode === true) return [];
    switch (schema[Kind]) {
      case "Object": {
        const first = this.#described.get(JSON.stringify(schema));
        const same = notesOf(schema).sameKeysAs ?? (first && `the same keys as \`${first}\``);
        if (same === undefined) return this.of(schema, path);
        return [`### \`${path}\`\n\n${escaped(schema.description ?? "")}: ${same}.\n`];
      }
      case "Array":
        return this.#below(schema["items"] as TSchema, `${path}[]`);
      case "Union": {
        // A mapping that stands alone or in a list is one thing.
        const variants = schema["anyOf"] as TSchema[];
        return variants.flatMap((variant) =>
          variant[Kind] === "Array" && variants.length > 2 ? [] : this.#below(variant, path),
        );
      }
      default:
        return [];
    }
  }
}

function typeOf(schema: TSchema): string {
  const { unit } = notesOf(schema);
  if (unit !== undefined) return unit;
  switch (schema[Kind]) {
    case "Union":
      return typeOfUnion(schema);
    case "Literal":
      return `\`${String(schema["const"])}\``;
    case "Integer":
      return `whole number${range(schema)}`;
    case "Boolean":
      return "`true` or `false`";
    case "Array":
      return typeOfList(schema["items"] as TSchema);
    case "Tuple":
      return `list of ${(schema["items"] as TSchema[]).length}`;
    case "Object":
    case "Record":
      return "mapping";
    case "Null":
      return "nothing";
    default:
      return "text";
  }
}

function typeOfList(items: TSchema): string {
  if (items[Kind] === "Union") return "list";
  return `list of ${typeOf(items).replace(/^mapping$/, "mappings")}`;
}

function typeOfUnion(schema: TSchema): string {
  const types = [...new Set((schema["anyOf"] as TSchema[]).map(typeOf))];
  const { expected } = notesOf(schema);
  if (types.length > 8 && expected !== undefined) return expected;
  return types.join(" or ");
}

function range(schema: TSchema): string {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  if (notesOf(schema).expected !== undefined || minimum === undefined) return "";
  return maximum === undefined ? `, ${minimum} or more` : `, ${minimum} to ${maximum}`;
}

function defaultOf(schema: TSchema): string {
  const value = schema.default as unknown;
  if (value === undefined) return "";
  return `\`${value === "" ? '""' : String(value)}\``;
}

function diagnosticsTable(): string {
  const rows = Object.entries(DIAGNOSTIC_CODES).map(
    ([code, meaning]) => `| \`${code}\` | ${escaped(meaning)} |`,
  );
  return `${["| code | meaning |", "|---|---|", ...rows].join("\n")}\n`;
}

/** A bar would end the cell. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

if (import.meta.main) print(configDocument());
