import { type CelInput, celMap, celUint } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { PropertyValue } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import type { Bindings } from "./environment.ts";
import { childrenOf, type Expr } from "./syntax.ts";

/** A property of the exchange, or of the plugin, by its path. */
export type ReadProperty = (path: readonly string[]) => PropertyValue | undefined;

/** Names of an expression that are no variables of its own: which of their fields it reads. */
export type Names = ReadonlyMap<string, ReadonlySet<string>>;

/** Attributes that are maps, and their fields, where an expression may use the whole. */
const GROUPS: ReadonlyMap<string, string> = new Map([
  [
    "request",
    "path url_path host scheme method headers referer useragent time id protocol query " +
      "duration size total_size trailers",
  ],
  ["response", "code code_details flags grpc_status headers trailers size total_size"],
  ["source", "address port"],
  ["destination", "address port"],
  ["connection", "id mtls"],
  ["upstream", "address port transport_failure_reason request_attempt_count"],
  [
    "xds",
    "cluster_name cluster_metadata route_name route_metadata listener_direction listener_metadata",
  ],
  ["filter_state", ""],
  ["node", "id cluster metadata"],
]);

/** Messages, of which only the field with the maps can be reached, and `node.metadata`, a map. */
const METADATA = /(?:^|\.)(?:(?:route|cluster|listener)_)?metadata$/;

/** Types that an encoding does not tell apart. */
const TIME = "request.time";
const DURATION = "request.duration";
const UNSIGNED: ReadonlySet<string> = new Set([
  "connection.id",
  "connection_id",
  "upstream.request_attempt_count",
]);

/** The fields that an expression reads of each name; a name that it binds itself does no harm. */
export function namesOf(expr: Expr): Names {
  const names = new Map<string, Set<string>>();
  const use = (name: string): Set<string> => {
    const fields = names.get(name) ?? new Set();
    names.set(name, fields);
    return fields;
  };
  const visit = (node: Expr): void => {
    const read = fieldOf(node);
    if (read !== undefined) {
      use(read.name).add(read.field);
      return;
    }
    const name = nameOf(node);
    if (name !== undefined) {
      const fields = use(name);
      for (const field of GROUPS.get(name)?.split(" ") ?? []) fields.add(field);
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(expr);
  return names;
}

/** `name.field` and `name["field"]`. */
function fieldOf(node: Expr): { readonly name: string; readonly field: string } | undefined {
  const kind = node.exprKind;
  if (kind.case === "selectExpr") return pairOf(kind.value.operand, kind.value.field);
  if (kind.case !== "callExpr" || kind.value.function !== "_[_]") return undefined;
  const [operand, index] = kind.value.args;
  if (index?.exprKind.case !== "constExpr") return undefined;
  const { constantKind } = index.exprKind.value;
  return constantKind.case === "stringValue" ? pairOf(operand, constantKind.value) : undefined;
}

function pairOf(operand: Expr | undefined, field: string) {
  const name = operand === undefined ? undefined : nameOf(operand);
  return name === undefined ? undefined : { name, field };
}

function nameOf(node: Expr): string | undefined {
  return node.exprKind.case === "identExpr" ? node.exprKind.value.name : undefined;
}

/** Values for the names of an expression; what is not known is not there. */
export function bind(names: Names, read: ReadProperty): Bindings {
  // Without a prototype: an expression must not find what every object inherits.
  const bindings = Object.create(null) as Record<string, CelInput>;
  for (const [name, fields] of names) {
    const value = valueOf(name, fields, read);
    if (value !== undefined) bindings[name] = value;
  }
  return bindings;
}

function valueOf(
  name: string,
  fields: ReadonlySet<string>,
  read: ReadProperty,
): CelInput | undefined {
  if (!GROUPS.has(name)) return inputOf([name], read);
  const entries = new Map<string, CelInput>();
  for (const field of fields) {
    const value = inputOf([name, field], read);
    if (value !== undefined) entries.set(field, value);
  }
  return celMap(entries);
}

function inputOf(segments: readonly string[], read: ReadProperty): CelInput | undefined {
  const path = segments.join(".");
  const value = read(segments);
  if (value === undefined || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "string") return fromLatin1(value);
  if (value instanceof HeaderList) return headerMap(segments, value, read);
  if (typeof value !== "bigint") return METADATA.test(path) ? emptyMetadata(path) : value;
  if (path === TIME) return create(TimestampSchema, parts(value));
  if (path === DURATION) return create(DurationSchema, parts(value));
  return UNSIGNED.has(path) ? celUint(BigInt.asUintN(64, value)) : value;
}

function emptyMetadata(path: string): CelInput {
  const empty = celMap(new Map());
  return path === "node.metadata" ? empty : celMap(new Map([["filter_metadata", empty]]));
}

const NS_PER_S = 1_000_000_000n;

/** @param ns nanoseconds, not negative */
function parts(ns: bigint): { seconds: bigint; nanos: number } {
  return { seconds: ns / NS_PER_S, nanos: Number(ns % NS_PER_S) };
}

/** Names in lower case; the lines of one name are joined. */
function headerMap(segments: readonly string[], list: HeaderList, read: ReadProperty): CelInput {
  const map = new Map<string, string>();
  for (const pseudo of PSEUDO_NAMES.get(segments.join(".")) ?? []) {
    const value = read([...segments, pseudo]);
    if (typeof value === "string") map.set(pseudo, fromLatin1(value));
  }
  for (const [name, value] of list) {
    const key = name.toLowerCase();
    const before = map.get(key);
    const text = fromLatin1(value);
    map.set(key, before === undefined ? text : `${before},${text}`);
  }
  return celMap(map);
}

const PSEUDO_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["request.headers", [":authority", ":method", ":path", ":scheme"]],
  ["response.headers", [":status"]],
]);

/** A property's bytes are chars; an expression's strings are Unicode. */
function fromLatin1(text: string): string {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > ASCII_MAX) return Buffer.from(text, "latin1").toString();
  }
  return text;
}

const ASCII_MAX = 0x7f;
