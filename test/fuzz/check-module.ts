/** One random module in every variant: nothing it does may be different. */
import { ModuleError } from "../../src/wasm/binary/module-error.ts";
import { prepare, type Prepared, type Variant, VARIANTS } from "../spec/variant.ts";
import { Random } from "../support/random.ts";
import { type Call, callsOf, Subject } from "./behaviour.ts";
import { type Generated, generateModule } from "./module-generator.ts";

export interface Checked {
  /** The engine refuses it before anything is rewritten: it is not always right about dead code. */
  readonly invalid: boolean;
  readonly calls: number;
  /** How often a captured state was put back. */
  readonly restored: number;
  /** What is wrong. */
  readonly findings: readonly string[];
}

export function checkModule(seed: number): Checked {
  const generated = generateModule(seed);
  if (!WebAssembly.validate(generated.bytes)) {
    return { invalid: true, calls: 0, restored: 0, findings: [] };
  }
  const random = new Random(seed ^ 0x5eed);
  const calls = callsOf(random, generated, [20, 300, 3000]);
  const before = observe(prepare(generated.bytes, "plain"), generated, calls);
  const findings: string[] = [];
  let restored = 0;
  for (const variant of VARIANTS.slice(1)) {
    const say = (what: string): void => void findings.push(`seed ${seed} ${variant}: ${what}`);
    const prepared = rewritten(generated, variant, say);
    if (prepared === undefined) continue;
    const after = observe(prepared, generated, calls);
    const difference = differenceOf(before.lines, after.lines);
    if (difference !== undefined) say(difference);
    if (after.subject === undefined) continue;
    restored += checkRestoring(prepared, generated, calls, random, say);
  }
  return { invalid: false, calls: calls.length, restored, findings };
}

function rewritten(
  generated: Generated,
  variant: Variant,
  say: (what: string) => void,
): Prepared | undefined {
  try {
    return prepare(generated.bytes, variant);
  } catch (error) {
    say(error instanceof ModuleError ? `refused: ${error.message}` : String(error));
    return undefined;
  }
}

function observe(prepared: Prepared, generated: Generated, calls: readonly Call[]) {
  try {
    const subject = new Subject(prepared, generated);
    return { subject, lines: [...subject.started, ...subject.run(calls)] };
  } catch {
    // A segment out of bounds or a start function that traps; said in other words by each variant.
    return { subject: undefined, lines: ["no instance"] };
  }
}

/** Runs, puts back, runs again; then breaks off in the middle of everything, and once more. */
function checkRestoring(
  prepared: Prepared,
  generated: Generated,
  calls: readonly Call[],
  random: Random,
  say: (what: string) => void,
): number {
  if (prepared.rewritten?.traits.unrestorable.length !== 0) return 0;
  const subject = new Subject(prepared, generated);
  subject.run(calls.slice(0, random.below(3)));
  subject.capture();
  if (!subject.restore()) return 0;
  const first = subject.run(calls);
  if (!subject.restore()) return 0;
  // Pages once grown stay behind the size that the guest is told, so that reaching for them is no
  // trap any more: from there on the two may differ.
  const trap = first.findIndex((line) => line.includes("Out of bounds memory access"));
  const comparable = subject.hasGrown && trap >= 0 ? trap : first.length;
  const compare = (again: readonly string[], when: string): void => {
    const difference = differenceOf(first.slice(0, comparable), again.slice(0, comparable));
    if (difference !== undefined) say(`${when}: ${difference}`);
  };
  compare(subject.run(calls), "restored");
  if (!subject.restore()) return 1;
  subject.run(calls, random.below(200));
  if (!subject.restore()) return 1;
  compare(subject.run(calls), "restored after running short");
  return 2;
}

function differenceOf(before: readonly string[], after: readonly string[]): string | undefined {
  const at = before.findIndex((line, n) => line !== after[n]);
  if (at < 0 && before.length === after.length) return undefined;
  const from = at < 0 ? before.length : at;
  return `line ${from}: "${after[from] ?? "nothing"}", before: "${before[from] ?? "nothing"}"`;
}
