/**
 * Small programs that stand for what guests do. Each exports `run`, which takes nothing, works for
 * about a millisecond on the 64 KiB that it begins with, and returns a number to be compared.
 */
export interface Kernel {
  readonly name: string;
  readonly text: string;
}

/** Counts local $i from 0 to `end`. */
function count(end: number | string, body: string): string {
  return `(local.set $i (i32.const 0)) (loop $next ${body}
    (br_if $next (i32.lt_u
      (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${end}))))`;
}

/** The memory is filled once, so that a run does not depend on the one before. */
const FILL = `(func $fill (local $i i32) (local $x i32) (local.set $x (i32.const 12345))
  ${count(
    16_384,
    `(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
     (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $x))`,
  )})`;

const FIB = `(func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "run") (result i32) (call $fib (i32.const 24)))`;

/** The compression function of SHA-256 in its shape: a schedule of 64 words, 64 rounds. */
const HASH = `(func $rotate (param i32 i32) (result i32) (i32.rotr (local.get 0) (local.get 1)))
  (func $block (param $at i32) (local $i i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (local $e i32) (local $f i32) (local $g i32) (local $h i32) (local $t i32) (local $u i32)
    ${count(
      16,
      `(i32.store (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 2)))
      (i32.load (i32.add (local.get $at) (i32.shl (local.get $i) (i32.const 2)))))`,
    )}
    (loop $schedule
      (local.set $t (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 2))))
      (local.set $a (i32.load (i32.sub (local.get $t) (i32.const 60))))
      (local.set $b (i32.load (i32.sub (local.get $t) (i32.const 8))))
      (i32.store (local.get $t) (i32.add
        (i32.add (i32.load (i32.sub (local.get $t) (i32.const 64)))
          (i32.xor (i32.xor (i32.rotr (local.get $a) (i32.const 7)) (i32.rotr (local.get $a)
            (i32.const 18))) (i32.shr_u (local.get $a) (i32.const 3))))
        (i32.add (i32.load (i32.sub (local.get $t) (i32.const 28)))
          (i32.xor (i32.xor (i32.rotr (local.get $b) (i32.const 17)) (i32.rotr (local.get $b)
            (i32.const 19))) (i32.shr_u (local.get $b) (i32.const 10))))))
      (br_if $schedule (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (i32.const 64))))
    (local.set $a (global.get $state)) (local.set $b (i32.const 0xbb67ae85))
    (local.set $c (i32.const 0x3c6ef372)) (local.set $d (i32.const 0xa54ff53a))
    (local.set $e (i32.const 0x510e527f)) (local.set $f (i32.const 0x9b05688c))
    (local.set $g (i32.const 0x1f83d9ab)) (local.set $h (i32.const 0x5be0cd19))
    ${count(
      64,
      `(local.set $t (i32.add (i32.add (local.get $h)
          (i32.xor (i32.xor (i32.rotr (local.get $e) (i32.const 6)) (i32.rotr (local.get $e)
            (i32.const 11))) (i32.rotr (local.get $e) (i32.const 25))))
        (i32.add (i32.xor (i32.and (local.get $e) (local.get $f)) (i32.and (i32.xor
          (local.get $e) (i32.const -1)) (local.get $g)))
          (i32.load (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 2)))))))
       (local.set $u (i32.add
          (i32.xor (i32.xor (i32.rotr (local.get $a) (i32.const 2)) (i32.rotr (local.get $a)
            (i32.const 13))) (i32.rotr (local.get $a) (i32.const 22)))
          (i32.xor (i32.xor (i32.and (local.get $a) (local.get $b)) (i32.and (local.get $a)
            (local.get $c))) (i32.and (local.get $b) (local.get $c)))))
       (local.set $h (local.get $g)) (local.set $g (local.get $f)) (local.set $f (local.get $e))
       (local.set $e (i32.add (local.get $d) (local.get $t)))
       (local.set $d (local.get $c)) (local.set $c (local.get $b)) (local.set $b (local.get $a))
       (local.set $a (i32.add (local.get $t) (local.get $u)))`,
    )}
    (global.set $state (i32.add (local.get $a) (local.get $e))))
  (global $state (mut i32) (i32.const 0))
  (func (export "run") (result i32) (local $at i32)
    (global.set $state (i32.const 0x6a09e667))
    (loop $next (call $block (local.get $at))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64)))
        (i32.const 65536))))
    (global.get $state))`;

/** A tokenizer: states in a br_table, one byte at a time. */
const SCAN = `(func (export "run") (result i32)
    (local $i i32) (local $state i32) (local $words i32) (local $byte i32)
    (loop $next
      (local.set $byte (i32.load8_u (local.get $i)))
      (block $done (block $quoted (block $word (block $space
        (br_table $space $word $quoted (local.get $state)))
        (if (i32.gt_u (local.get $byte) (i32.const 96)) (then
          (local.set $words (i32.add (local.get $words) (i32.const 1)))
          (local.set $state (i32.const 1)))
          (else (if (i32.eq (local.get $byte) (i32.const 34)) (then (local.set $state
            (i32.const 2))))))
        (br $done))
        (if (i32.lt_u (local.get $byte) (i32.const 48)) (then (local.set $state (i32.const 0))))
        (br $done))
        (if (i32.lt_u (local.get $byte) (i32.const 40)) (then (local.set $state (i32.const 0)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (i32.const 65536))))
    (local.get $words))`;

const SUM = `(func (export "run") (result i32) (local $i i32) (local $sum i32) (local $turn i32)
    (loop $again
      ${count(65_536, `(local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $i))))`)}
      (br_if $again (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1)))
        (i32.const 10))))
    (local.get $sum))`;

const FNV = `(func (export "run") (result i32) (local $i i32) (local $hash i32) (local $turn i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (loop $again
      ${count(
        65_536,
        `(local.set $hash (i32.mul (i32.xor (local.get $hash) (i32.load8_u
        (local.get $i))) (i32.const 0x01000193)))`,
      )}
      (br_if $again (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1)))
        (i32.const 5))))
    (local.get $hash))`;

/** Small functions, directly and through a table. */
const CALLS = `(type $t (func (param i32 i32) (result i32)))
  (table funcref (elem $add $xor $mix $add))
  (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $xor (param i32 i32) (result i32) (i32.xor (local.get 0) (local.get 1)))
  (func $mix (param i32 i32) (result i32)
    (call $add (call $xor (local.get 0) (local.get 1)) (i32.rotl (local.get 0) (i32.const 5))))
  (func (export "run") (result i32) (local $i i32) (local $x i32)
    ${count(
      100_000,
      `(local.set $x (call $mix (local.get $x) (local.get $i)))
       (local.set $x (call_indirect (type $t) (local.get $x) (local.get $i)
         (i32.and (local.get $i) (i32.const 3))))`,
    )}
    (local.get $x))`;

const SORT = `(func (export "run") (result i32) (local $i i32) (local $j i32) (local $x i32)
    (memory.copy (i32.const 65536) (i32.const 0) (i32.const 4096))
    (local.set $i (i32.const 65540))
    (loop $outer
      (local.set $x (i32.load (local.get $i))) (local.set $j (local.get $i))
      (block $placed (loop $inner
        (br_if $placed (i32.eq (local.get $j) (i32.const 65536)))
        (br_if $placed (i32.le_u (i32.load (i32.sub (local.get $j) (i32.const 4)))
          (local.get $x)))
        (i32.store (local.get $j) (i32.load (i32.sub (local.get $j) (i32.const 4))))
        (local.set $j (i32.sub (local.get $j) (i32.const 4)))
        (br $inner)))
      (i32.store (local.get $j) (local.get $x))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4)))
        (i32.const 69632))))
    (i32.load (i32.const 67584)))`;

/** 64 × 64 matrices of f64 at 0 and 32768, their product at 65536. */
const MATRIX = `(func (export "run") (result i32) (local $i i32) (local $j i32) (local $k i32)
    (local $sum f64)
    (loop $rows (local.set $j (i32.const 0)) (loop $columns
      (local.set $k (i32.const 0)) (local.set $sum (f64.const 0))
      (loop $inner
        (local.set $sum (f64.add (local.get $sum) (f64.mul
          (f64.convert_i32_s (i32.load (i32.add (i32.shl (local.get $i) (i32.const 9))
            (i32.shl (local.get $k) (i32.const 3)))))
          (f64.load (i32.add (i32.const 32768) (i32.add (i32.shl (local.get $k) (i32.const 9))
            (i32.shl (local.get $j) (i32.const 3))))))))
        (br_if $inner (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1)))
          (i32.const 64))))
      (f64.store (i32.add (i32.const 65536) (i32.add (i32.shl (local.get $i) (i32.const 9))
        (i32.shl (local.get $j) (i32.const 3)))) (local.get $sum))
      (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1)))
        (i32.const 64))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (i32.const 64))))
    (i32.load (i32.const 65544)))`;

export const KERNELS: readonly Kernel[] = Object.entries({
  fib: FIB,
  hash: HASH,
  scan: SCAN,
  sum: SUM,
  fnv: FNV,
  calls: CALLS,
  sort: SORT,
  matrix: MATRIX,
}).map(([name, functions]) => ({
  name,
  text: `(module (memory (export "memory") 2) ${FILL} (start $fill) ${functions})`,
}));
