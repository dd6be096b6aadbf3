import initWabt from "wabt";
import {
  HTTP_HANDLER_MODULE,
  HTTP_HANDLER_SIGNATURES,
} from "../../src/abi/http-wasm/signatures.ts";
import { HOST_FUNCTION_SIGNATURES } from "../../src/abi/proxy-wasm/signatures.ts";
import { WASI_SIGNATURES } from "../../src/abi/wasi/signatures.ts";

/**
 * From the short text of a hostile guest to its module.
 *
 *   text ─▶ "#7" becomes (i32.const 7) ─▶ imports of every host function that it names
 *        ─▶ the parts of the prelude that it uses and does not bring itself ─▶ wabt
 *
 *   memory   16 "x-attack"   64 out-pointers   256 spelled names   4096 heap   32768 its own
 *
 * A text with "handle_request" is an http-wasm guest: it has neither marker nor allocator.
 */
const wabt = await initWabt();

const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  extended_const: true,
};

/** @throws Error with wabt's words and the text when it is no module */
export function assemble(text: string): Uint8Array {
  const source = moduleText(text);
  try {
    const module = wabt.parseWat("guest.wat", source, FEATURES);
    try {
      return new Uint8Array(module.toBinary({}).buffer);
    } finally {
      module.destroy();
    }
  } catch (error) {
    throw new Error(`Cannot assemble a guest: ${String(error)}\n${source}`, { cause: error });
  }
}

/** The module's whole text. */
export function moduleText(text: string): string {
  const parts = [text];
  // A part may need another one, which stands behind it.
  for (const { trigger, brought, wat } of PRELUDE) {
    const whole = parts.join("\n");
    if (trigger.test(whole) && !brought?.test(text)) parts.push(wat);
  }
  const expanded = parts.join("\n").replaceAll(/#(-?(?:0x[0-9a-fA-F]+|\d+))/g, "(i32.const $1)");
  return `(module\n${importsOf(expanded)}\n${expanded})`;
}

interface Part {
  /** Needed when this is in the text … */
  readonly trigger: RegExp;
  /** … and this is not. */
  readonly brought?: RegExp;
  readonly wat: string;
}

const PRELUDE: readonly Part[] = [
  {
    trigger: /^/,
    brought: /proxy_abi_version|"handle_request"/,
    wat: '(func (export "proxy_abi_version_0_2_1"))',
  },
  { trigger: /^/, brought: /\(export "memory"\)/, wat: '(memory (export "memory") 1)' },
  {
    // Is this the exchange to attack? Asks for the allocator only when it is.
    trigger: /\$armed/,
    wat: `(data (i32.const 16) "x-attack")
      (func $armed (result i32)
        (i32.ne (call $proxy_get_header_map_value #0 #16 #8 #64 #68) #1))`,
  },
  {
    // The same for http-wasm.
    trigger: /\$attacked/,
    wat: `(data (i32.const 16) "x-attack")
      (func $attacked (result i32)
        (i64.ne (i64.shr_u (call $get_header_values #0 #16 #8 #64 #64) (i64.const 32))
          (i64.const 0)))`,
  },
  {
    // The same as $expect for http-wasm, before next; then $found holds.
    trigger: /\$wants/,
    wat: `(global $found (mut i32) (i32.const 0))
      (func $wants (param $got i32) (param $want i32)
        (if (i32.eq (local.get $got) (local.get $want)) (then (return)))
        (global.set $found #1)
        (i32.store #120 (local.get $got)) (i32.store #124 (local.get $want))
        (call $set_status_code #599) (call $write_body #1 #120 #8))`,
  },
  {
    // A status that is not the right one shows in the client's verdict: 599 and both numbers.
    trigger: /\$expect/,
    wat: `(func $expect (param $got i32) (param $want i32)
      (if (i32.eq (local.get $got) (local.get $want)) (then (return)))
      (i32.store #120 (local.get $got)) (i32.store #124 (local.get $want))
      (drop (call $proxy_send_local_response #599 #0 #0 #120 #8 #0 #0 #-1)))`,
  },
  {
    // Eight letters at 256 that name the number.
    trigger: /\$spell/,
    wat: `(func $spell (param $n i32) (local $at i32)
      (local.set $at #256)
      (loop $next
        (i32.store8 (local.get $at) (i32.add #97 (i32.and (local.get $n) #15)))
        (local.set $n (i32.shr_u (local.get $n) #4))
        (local.set $at (i32.add (local.get $at) #1))
        (br_if $next (i32.lt_u (local.get $at) #264))))`,
  },
  {
    // Starts again at 4096 before it leaves its region.
    trigger: /^/,
    brought: /"(?:malloc|proxy_on_memory_allocate|handle_request)"/,
    wat: `(global $free (mut i32) #4096)
      (func (export "proxy_on_memory_allocate") (param $n i32) (result i32) (local $at i32)
        (local.set $at (global.get $free))
        (if (i32.gt_u (i32.add (local.get $at) (local.get $n)) #32768)
          (then (local.set $at #4096)))
        (global.set $free (i32.add (local.get $at) (local.get $n)))
        (local.get $at))`,
  },
];

function importsOf(text: string): string {
  const wanted = new Set([...text.matchAll(/\$([a-z]+_\w+)/g)].map(([, name]) => name));
  const found: string[] = [];
  const add = (module: string, signatures: Readonly<Record<string, string>>): void => {
    for (const [name, signature] of Object.entries(signatures)) {
      if (wanted.has(name)) found.push(`(import "${module}" "${name}" ${typeOf(name, signature)})`);
    }
  };
  add("env", HOST_FUNCTION_SIGNATURES);
  add("wasi_snapshot_preview1", WASI_SIGNATURES);
  add(HTTP_HANDLER_MODULE, HTTP_HANDLER_SIGNATURES);
  // The one name that is not two words.
  if (wanted.has("http_log")) {
    const type = typeOf("http_log", HTTP_HANDLER_SIGNATURES.log);
    found.push(`(import "${HTTP_HANDLER_MODULE}" "log" ${type})`);
  }
  return found.join("\n");
}

/** @param letters one per type */
function types(letters: string): string {
  return Array.from(letters, (letter) => (letter === "I" ? "i64" : "i32")).join(" ");
}

/** @param signature "iI>i": two parameters, i32 and i64, one result */
function typeOf(name: string, signature: string): string {
  const [parameters = "", results = ""] = signature.split(">");
  const result = results === "" ? "" : ` (result ${types(results)})`;
  return `(func $${name} (param ${types(parameters)})${result})`;
}

/** Bytes as a WAT string, quotes included. */
export function quoted(bytes: Uint8Array | string): string {
  const list = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  return `"${[...list].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

/** Header pairs as host functions take them. */
export function pairs(list: readonly (readonly [string, string])[]): Uint8Array {
  const numbers = [list.length, ...list.flatMap(([name, value]) => [name.length, value.length])];
  const text = list.map(([name, value]) => `${name}\0${value}\0`).join("");
  return Buffer.concat([
    new Uint8Array(new Uint32Array(numbers).buffer),
    Buffer.from(text, "latin1"),
  ]);
}
