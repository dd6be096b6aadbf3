import {
  HTTP_HANDLER_MODULE,
  HTTP_HANDLER_SIGNATURES,
} from "../../src/abi/http-wasm/signatures.ts";
import { HOST_FUNCTION_SIGNATURES } from "../../src/abi/proxy-wasm/signatures.ts";
import { wat, wire } from "../../src/abi/proxy-wasm/testing.ts";
import { signature } from "../../src/abi/signature.ts";
import { WASI_MODULES, WASI_SIGNATURES } from "../../src/abi/wasi/signatures.ts";
import { paramsOf } from "../../src/plugin-run/shape.ts";
import { callbackShape } from "../../src/plugin-run/shapes.ts";

/**
 * A guest that makes the host calls that it is told to make, in the callbacks that it is told:
 *
 *   moduleOf({ on: { proxy_on_request_headers: { calls: [["proxy_log", 2, text("hello")]] } } })
 *
 * Its memory:
 *
 *   0    64              1024                                              pages × 64 KiB
 *   │    │ out-pointers  │ texts of the calls │ what the allocator hands out ──▶ │
 */
export interface Probe {
  /** Of its marker, "0.2.1"; "none": without a marker, as http-wasm modules are. */
  readonly abi?: string;
  /** Of memory; 1. */
  readonly pages?: number;
  readonly allocator?: Allocator;
  /** What it does when it is called: every time, or the first, second, … and all later times. */
  readonly on: Readonly<Record<string, Step | readonly Step[]>>;
  /** What its start section does. */
  readonly startSection?: Step;
  /** Parameters of a callback that are not as many as usual. */
  readonly arity?: Readonly<Record<string, number>>;
}

export interface Step {
  readonly calls?: readonly (Call | Repeated)[];
  /** 0, or 1 where the answer is true or false. */
  readonly answer?: number | bigint;
  /** It ends with a trap. */
  readonly traps?: boolean;
}

export interface Allocator {
  /** "malloc" */
  readonly name?: string;
  /** "none": there is no allocator. */
  readonly answers?: "memory" | "0" | "beyond" | "trap" | "none";
  readonly calls?: readonly Call[];
}

/**
 * A name of `env`, of WASI or of http-wasm, or "wasi_unstable:fd_write"; then the arguments, of
 * which a text takes two parameters: address and length.
 */
export type Call = readonly [name: string, ...args: Arg[]];
export interface Repeated {
  readonly times: number;
  readonly call: Call;
}

export type Arg =
  | number
  | bigint
  | { readonly bytes: Uint8Array }
  | { readonly out: string }
  | { readonly loaded: string }
  | { readonly beforeEnd: number }
  | { readonly param: number }
  | { readonly index: true }
  | { readonly iovecs: readonly Piece[] };

/** Text, or an address and a length. */
export type Piece = string | readonly [ptr: number, byteLength: number];

/** A guest that makes these calls when the request's headers are there. */
export const onRequest = (...calls: readonly (Call | Repeated)[]): Probe => ({
  on: { proxy_on_request_headers: { calls } },
});

/** Address and length of a text; one byte for each char. */
export const text = (value: string): Arg => ({ bytes: Buffer.from(value, "latin1") });
/** Address and length of serialized pairs. */
export const pairs = (...lines: (readonly [string, string])[]): Arg => ({ bytes: wire(lines) });
/** Address of 8 bytes into which the host may write. */
export const out = (name = ""): Arg => ({ out: name });
/** The u32 that a call has written to that out-pointer. */
export const loaded = (name: string): Arg => ({ loaded: name });
/** The address that many bytes before the end of memory. */
export const end = (minus = 0): Arg => ({ beforeEnd: minus });
/** A parameter of the callback: 0 is the context's id. */
export const param = (at: number): Arg => ({ param: at });
/** Of a call that is repeated: how many times are left, this one included. */
export const index: Arg = { index: true };
/** Address and count of WASI's pairs of address and length. */
export const iovecs = (...pieces: Piece[]): Arg => ({ iovecs: pieces });

/** The highest u32: as an address far beyond memory, as a length more than there can be. */
export const MAX = 0xffff_ffff;

/** Where functions come from, and their types; the first one that has a name wins. */
const SIGNATURES: readonly (readonly [module: string, table: Readonly<Record<string, string>>])[] =
  [
    ["env", HOST_FUNCTION_SIGNATURES],
    ...WASI_MODULES.map((name) => [name, WASI_SIGNATURES] as const),
    [HTTP_HANDLER_MODULE, HTTP_HANDLER_SIGNATURES],
  ];

const PAGE_BYTES = 65_536;
const OUTS_AT = 64;
const TEXTS_AT = 1024;

/** The module of that guest. @throws RangeError for a function or callback that there is not */
export function moduleOf(probe: Probe): Uint8Array {
  return wat(new Writer(probe).write());
}

class Writer {
  readonly #probe: Probe;
  readonly #imports = new Map<string, string>();
  readonly #outs = new Map<string, number>();
  readonly #texts: string[] = [];
  #outsEnd = OUTS_AT;
  #textsEnd = TEXTS_AT;

  constructor(probe: Probe) {
    this.#probe = probe;
  }

  write(): string {
    const { on, abi = "0.2.1", startSection, pages = 1 } = this.#probe;
    const functions = Object.entries(on).map(([name, steps]) => this.#callback(name, steps));
    if (startSection !== undefined) {
      functions.push(`(func $start (local $i i32) ${this.#step(startSection)}) (start $start)`);
    }
    functions.push(this.#allocator());
    if (abi !== "none") {
      functions.push(`(func (export "proxy_abi_version_${abi.replaceAll(".", "_")}"))`);
    }
    return `(module ${[...this.#imports.values()].join("\n")}
      (memory (export "memory") ${pages})
      ${this.#texts.join("\n")}
      ${functions.join("\n")})`;
  }

  #callback(name: string, given: Step | readonly Step[]): string {
    const shape = callbackShape(name);
    if (shape === undefined) throw new RangeError(`Cannot find the callback "${name}"`);
    const steps = [given].flat() as readonly Step[];
    const count = this.#probe.arity?.[name] ?? paramsOf(shape);
    const params = Array.from({ length: count }, (_, at) => `(param $p${at} i32)`).join(" ");
    const type = shape.result === "void" ? "" : shape.result === "i64" ? "i64" : "i32";
    const answerOf = ({ answer = shape.result === "bool" ? 1 : 0, traps }: Step): string =>
      traps ? "(unreachable)" : type === "" ? "(return)" : `(return (${type}.const ${answer}))`;
    const counter = `$count.${name}`;
    const code = steps.map((step, at) => {
      const body = `${this.#step(step)} ${answerOf(step)}`;
      if (at === steps.length - 1) return body;
      return `(if (i32.eq (local.get $step) (i32.const ${at})) (then ${body}))`;
    });
    return `(global ${counter} (mut i32) (i32.const 0))
      (func (export "${name}") ${params} ${type === "" ? "" : `(result ${type})`}
        (local $step i32) (local $i i32)
        (local.set $step (global.get ${counter}))
        (global.set ${counter} (i32.add (local.get $step) (i32.const 1)))
        ${code.join("\n")})`;
  }

  #step({ calls = [] }: Step): string {
    return calls
      .map((call) => ("times" in call ? this.#repeated(call) : this.#call(call)))
      .join("\n");
  }

  #repeated({ times, call }: Repeated): string {
    return `(local.set $i (i32.const ${times}))
      (loop $again ${this.#call(call)}
        (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`;
  }

  #call([name, ...args]: Call): string {
    const [target, results] = this.#import(name);
    const call = `(call ${target} ${args.map((arg) => this.#arg(arg)).join(" ")})`;
    return results === 0 ? call : `(drop ${call})`;
  }

  #import(name: string): readonly [id: string, results: number] {
    const [only, bare = only] = name.split(":") as [string, string?];
    const found = SIGNATURES.find(([from, table]) =>
      name === bare ? name in table : from === only && bare in table,
    );
    if (found === undefined) throw new RangeError(`Cannot find the function "${name}"`);
    const [module, table] = found;
    const { params, results } = signature(table[bare] as string);
    const type = `${params.map((each) => `(param ${each})`).join("")}${results
      .map((each) => `(result ${each})`)
      .join("")}`;
    const id = `$${module}.${bare}`;
    this.#imports.set(id, `(import "${module}" "${bare}" (func ${id} ${type}))`);
    return [id, results.length];
  }

  #arg(arg: Arg): string {
    if (typeof arg === "bigint") return `(i64.const ${arg})`;
    if (typeof arg === "number") return `(i32.const ${arg})`;
    if ("bytes" in arg) return this.#text(arg.bytes);
    if ("out" in arg) return `(i32.const ${this.#out(arg.out)})`;
    if ("loaded" in arg) return `(i32.load (i32.const ${this.#out(arg.loaded)}))`;
    if ("param" in arg) return `(local.get $p${arg.param})`;
    if ("index" in arg) return "(local.get $i)";
    if ("iovecs" in arg) return this.#iovecs(arg.iovecs);
    return `(i32.const ${(this.#probe.pages ?? 1) * PAGE_BYTES - arg.beforeEnd})`;
  }

  #out(name: string): number {
    const known = name === "" ? undefined : this.#outs.get(name);
    if (known !== undefined) return known;
    const at = this.#outsEnd;
    this.#outsEnd += 8;
    if (this.#outsEnd > TEXTS_AT) throw new RangeError("Cannot place so many out-pointers");
    this.#outs.set(name, at);
    return at;
  }

  #text(bytes: Uint8Array): string {
    return `(i32.const ${this.#place(bytes)}) (i32.const ${bytes.byteLength})`;
  }

  #iovecs(pieces: readonly Piece[]): string {
    const table = Buffer.alloc(8 * pieces.length);
    for (const [at, piece] of pieces.entries()) {
      const [ptr, byteLength] =
        typeof piece === "string"
          ? [this.#place(Buffer.from(piece, "latin1")), piece.length]
          : piece;
      table.writeUInt32LE(ptr, 8 * at);
      table.writeUInt32LE(byteLength, 8 * at + 4);
    }
    return `(i32.const ${this.#place(table)}) (i32.const ${pieces.length})`;
  }

  /** @returns its address */
  #place(bytes: Uint8Array): number {
    const at = this.#textsEnd;
    this.#textsEnd += (bytes.byteLength + 7) & ~7;
    const escaped = Buffer.from(bytes).toString("hex").replaceAll(/../g, "\\$&");
    this.#texts.push(`(data (i32.const ${at}) "${escaped}")`);
    return at;
  }

  /** Written last: it hands out what lies behind the texts. */
  #allocator(): string {
    const { allocator = {}, pages = 1 } = this.#probe;
    const { name = "malloc", answers = "memory", calls = [] } = allocator;
    if (answers === "none") return "";
    const code = {
      memory: `(global.get $free)
        (global.set $free (i32.add (global.get $free)
          (i32.and (i32.add (local.get $n) (i32.const 7)) (i32.const -8))))`,
      "0": "(i32.const 0)",
      beyond: `(i32.const ${pages * PAGE_BYTES})`,
      trap: "(unreachable)",
    }[answers];
    const told = calls.map((call) => this.#call(call)).join("\n");
    return `(global $free (mut i32) (i32.const ${this.#textsEnd}))
      (func (export "${name}") (param $n i32) (result i32) ${told} ${code})`;
  }
}
