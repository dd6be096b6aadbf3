/** Guests that never end, as a rewritten module has them: with a poll in every loop and entry. */
import initWabt from "wabt";

/** Stores to POLL_ADDRESS. */
const POLL = "(i32.store8 (i32.const -65536) (i32.const 0))";

/** One cache line each, over 32 MiB. */
const CHASE_BYTES = 32 * 2 ** 20;
const LINE_BYTES = 64;

/** Each form is an export without parameters; `fib` is deep in calls but never out of stack. */
const FORMS = {
  empty: `(loop $l ${POLL} (br $l))`,
  nested: `(loop $a ${POLL} (loop $b ${POLL} (loop $c ${POLL}
    (br_if $c (i32.and (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 15))))
    (br_if $b (i32.and (local.get $i) (i32.const 255)))) (br $a))`,
  brTable: `(loop $l ${POLL} (block $a (block $b
    (br_table $a $b $l (i32.and (local.tee $i (i32.add (local.get $i) (i32.const 1)))
      (i32.const 3)))) (br $l)) (br $l))`,
  chase: `(loop $l ${POLL} (local.set $i (i32.load (local.get $i))) (br $l))`,
  fill: `(loop $l ${POLL} (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br $l))`,
  recursion: "(drop (call $fib (i32.const 90)))",
  tailCalls: "(return_call $again)",
  hostCalls: `(loop $l ${POLL} (call $host) (br $l))`,
  catchAll: `(loop $l ${POLL} (try (do (loop $in ${POLL} (br $in))) (catch_all)) (br $l))`,
} as const;

export type LoopForm = keyof typeof FORMS;
export const LOOP_FORMS = Object.keys(FORMS) as LoopForm[];

export interface LoopingGuest extends Record<LoopForm, () => void> {
  readonly memory: WebAssembly.Memory;
  /** Turns a loop so many times, then returns. */
  readonly count: (turns: number) => void;
  /** What the guest keeps in the poll page itself, at its ninth byte. */
  readonly keep: (value: number) => void;
  readonly kept: () => number;
}

const wabt = await initWabt();

const MODULE = compile(`(module
  (import "env" "host" (func $host))
  (memory (export "memory") 1 514)
  (func $fib (param $n i32) (result i32) ${POLL}
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2)) (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1)))
        (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func $again ${POLL} (return_call $again))
  (func (export "count") (param $n i32)
    (loop $l ${POLL}
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "keep") (param i32) (i32.store (i32.const -65528) (local.get 0)))
  (func (export "kept") (result i32) (i32.load (i32.const -65528)))
  ${LOOP_FORMS.map((form) => `(func (export "${form}") (local $i i32) ${FORMS[form]})`).join("")}
)`);

/** A guest of its own memory; `host` is what `hostCalls` calls. */
export function loopingGuest(host: () => void = () => {}): LoopingGuest {
  const { exports } = new WebAssembly.Instance(MODULE, { env: { host } });
  return exports as unknown as LoopingGuest;
}

/** Gives the guest the memory that `chase` is to run through; without it, it turns on one word. */
export function growForChase({ memory }: LoopingGuest): void {
  memory.grow(CHASE_BYTES / 65_536);
  shuffle(new Uint32Array(memory.buffer, 0, CHASE_BYTES / 4));
}

function compile(text: string): WebAssembly.Module {
  const features = { exceptions: true, tail_call: true, bulk_memory: true };
  const module = wabt.parseWat("loops.wat", text, features);
  return new WebAssembly.Module(new Uint8Array(module.toBinary({}).buffer));
}

/** One cycle through all cache lines, so that each load misses and names the next. */
function shuffle(words: Uint32Array): void {
  const step = LINE_BYTES / 4;
  const order = Uint32Array.from({ length: words.length / step }, (_, line) => line);
  let random = 1;
  for (let at = order.length - 1; at > 0; at--) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const other = random % at; // Sattolo: never itself, hence one cycle.
    const moved = order[at] ?? 0;
    order[at] = order[other] ?? 0;
    order[other] = moved;
  }
  for (const [line, next] of order.entries()) words[line * step] = next * LINE_BYTES;
}
