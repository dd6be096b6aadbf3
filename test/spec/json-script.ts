/** Scripts as wast2json and `wasm-tools json-from-wast` write them: JSON beside modules. */
import { dirname, join } from "node:path";
import { type Action, type Command, type Expected, type Lane, type NumberType } from "./script.ts";
import { type Script, type Value, WIDTH } from "./script.ts";

interface JsonValue {
  readonly type: string;
  readonly lane_type?: string;
  readonly value?: string | readonly string[];
  readonly values?: readonly JsonValue[];
}

interface JsonAction {
  readonly type: "invoke" | "get";
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly JsonValue[];
}

interface JsonCommand {
  readonly type: string;
  readonly line: number;
  readonly name?: string;
  readonly as?: string;
  readonly instance?: string;
  readonly module?: string;
  readonly filename?: string;
  readonly binary_filename?: string;
  readonly action?: JsonAction;
  readonly expected?: readonly JsonValue[];
}

/** Reads one script; commands about text, threads and component models are left out. */
export async function readJsonScript(path: string): Promise<Script> {
  const { commands } = (await Bun.file(path).json()) as { commands: readonly JsonCommand[] };
  const read: Command[] = [];
  for (const each of commands) {
    const command = await commandOf(each, dirname(path));
    if (command !== undefined) read.push(command);
  }
  return { name: path, commands: read };
}

async function commandOf(from: JsonCommand, folder: string): Promise<Command | undefined> {
  const { line, name } = from;
  const file = from.binary_filename ?? from.filename;
  const bytes = file?.endsWith(".wasm") ? await Bun.file(join(folder, file)).bytes() : undefined;
  const action = from.action === undefined ? undefined : actionOf(from.action);
  switch (from.type) {
    case "module":
      return bytes && { line, kind: "module", name, bytes };
    case "module_definition":
      return bytes && { line, kind: "definition", name, bytes };
    case "module_instance":
      return { line, kind: "instance", name: from.instance, definition: from.module };
    case "register":
      return { line, kind: "register", name, as: from.as ?? "" };
    case "action":
      return action && { line, kind: "action", action };
    case "assert_return":
      return (
        action && { line, kind: "return", action, expected: (from.expected ?? []).map(expectedOf) }
      );
    case "assert_trap":
    case "assert_exhaustion":
      return action && { line, kind: "trap", action };
    case "assert_exception":
      return action && { line, kind: "exception", action };
    case "assert_invalid":
    case "assert_malformed":
      return bytes && { line, kind: "refused", bytes };
    case "assert_unlinkable":
    case "assert_uninstantiable":
      return bytes && { line, kind: "unlinkable", bytes };
    default:
      return undefined;
  }
}

function actionOf(from: JsonAction): Action {
  const args = (from.args ?? []).map(valueOf);
  return { kind: from.type, module: from.module, field: from.field, args };
}

function valueOf(from: JsonValue): Value {
  const expected = expectedOf(from);
  if ("lanes" in expected) {
    let bits = 0n;
    expected.lanes.forEach((lane, n) => {
      bits |= BigInt(lane) << BigInt(n * expected.laneBits);
    });
    return { type: expected.type, bits };
  }
  if (expected.type === "host" || expected.type === "null") return expected;
  throw new Error(`Cannot read a script: ${from.type} is no argument`);
}

function expectedOf(from: JsonValue): Expected {
  if (from.type in WIDTH) {
    const type = from.type as NumberType;
    const laneBits = type === "v128" ? Number(from.lane_type?.slice(1)) : WIDTH[type];
    const values = typeof from.value === "string" ? [from.value] : (from.value ?? []);
    const lanes = values.map((text): Lane => laneOf(text, laneBits));
    return { type, laneBits: laneBits as 8 | 16 | 32 | 64, lanes };
  }
  if (from.type === "either")
    return { type: "either", values: (from.values ?? []).map(expectedOf) };
  if (from.type.includes("null") || from.value === "null") return { type: "null" };
  if (typeof from.value === "string") {
    return { type: "host", id: Number(from.value) };
  }
  return { type: "ref" };
}

function laneOf(text: string, bits: number): Lane {
  if (text.startsWith("nan:")) return text.slice(4) as "canonical" | "arithmetic";
  return BigInt.asUintN(bits, BigInt(text));
}
