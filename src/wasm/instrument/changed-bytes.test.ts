import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../../base/random.testing.ts";
import { ModuleError } from "../binary/module-error.ts";
import { MODULES } from "./modules.testing.ts";
import { BOTH, rewrite, wat } from "./testing.ts";

const SUBJECTS = [
  { name: "GC", bytes: Uint8Array.fromHex(MODULES.gc) },
  { name: "exceptions", bytes: Uint8Array.fromHex(MODULES.exceptions) },
  { name: "references", bytes: Uint8Array.fromHex(MODULES.references) },
  {
    name: "everything else",
    bytes: wat(`(type $t (func (param i32) (result i32)))
      (import "env" "f" (func $import (param i32))) (import "env" "g" (global i32))
      (tag $tag (param i32)) (table 3 10 funcref) (memory (export "m") 1 9)
      (global $x (mut i64) (i64.const 5)) (global (mut v128) (v128.const i64x2 1 2))
      (elem (i32.const 1) $a) (elem $e func $a $b) (elem declare func $b)
      (data (global.get 0) "data") (data $d "passive") (start $start)
      (func $start (call $import (i32.const 1)))
      (func $a (export "a") (type $t) (local i64 f64 f64)
        (block $out (loop $next
          (br_if $out (i32.eqz (local.get 0)))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (if (i32.and (local.get 0) (i32.const 1)) (then (br $next)) (else (nop)))
          (br_table $next $out $next (local.get 0))))
        (try (do (throw $tag (i32.const 3))) (catch $tag (drop)) (catch_all (rethrow 0)))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 9)) (data.drop $d)
        (table.init $e (i32.const 0) (i32.const 0) (i32.const 2))
        (drop (memory.grow (i32.const 1)))
        (call_indirect (type $t) (memory.size) (i32.const 1)))
      (func $b (type $t) (return_call $a (local.get 0)))`),
  },
] as const;

const BYTES = [0x00, 0x01, 0x0b, 0x40, 0x7f, 0x80, 0xff];

describe("instrument()", () => {
  test.each(SUBJECTS)(
    "answers any byte that is changed in $name with a valid module or a ModuleError",
    ({ bytes }) => {
      const random = new SeededRandom(bytes.byteLength);
      let taken = 0;
      for (let at = 8; at < bytes.byteLength; at++) {
        for (const byte of [...BYTES, random.below(256), random.below(256)]) {
          const changed = bytes.slice();
          changed[at] = byte;
          if (isTaken(changed)) taken++;
        }
      }
      // Constants and names may be anything; most other bytes may not.
      expect(taken).toBeGreaterThan(bytes.byteLength);
    },
  );

  test.each(SUBJECTS)("answers any piece of $name with a ModuleError or takes it", ({ bytes }) => {
    for (let end = 0; end < bytes.byteLength; end++) isTaken(bytes.slice(0, end));
  });
});

/** @throws Error when the rewritten module is not valid, or for an error of another kind */
function isTaken(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    const { bytes: after } = rewrite(bytes, { checks: BOTH });
    if (WebAssembly.validate(after)) return true;
  } catch (error) {
    if (error instanceof ModuleError) return false;
    throw error;
  }
  throw new Error(`Cannot take ${bytes.toHex()}: the rewritten module is not valid`);
}
