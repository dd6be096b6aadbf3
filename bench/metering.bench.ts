/**
 * Question: how much slower are guests by the checks that stop them, by polling, by fuel, or both?
 * Each variant runs in processes of its own, in turn with the others, because what an engine makes
 * of a loop differs from process to process. Shown are ratios to no checks at all, of medians, and
 * of the fastest processes: when other work shares the machine, only these can be compared.
 * Not measured: code that has not been optimized yet, and what the host does between calls.
 */
import { dlopen, ptr } from "bun:ffi";
import initWabt from "wabt";
import { instrument } from "../src/wasm/instrument/instrument.ts";
import { KERNELS } from "./kernels.ts";

const VARIANTS = {
  none: { poll: false, fuel: false },
  poll: { poll: true, fuel: false },
  fuel: { poll: false, fuel: true },
  both: { poll: true, fuel: true },
} as const;

type Variant = keyof typeof VARIANTS;

const ROUNDS = 9;
/** ms; the last tier compiles in the background, which takes its time on a busy machine. */
const WARM_MS = 500;
const MEASURED_MS = 150;
const FUEL = 2 ** 31 - 1;

interface Runnable {
  readonly run: () => number;
  readonly refill: () => void;
}

const wabt = await initWabt();

async function instantiate(text: string, variant: Variant): Promise<Runnable> {
  const module = wabt.parseWat("kernel.wat", text);
  const original = new Uint8Array(module.toBinary({}).buffer);
  const checks = VARIANTS[variant];
  const { bytes, names } = instrument(original, {
    memoryPagesMax: 16,
    tableEntriesMax: 16,
    checks,
  });
  const { instance } = await WebAssembly.instantiate(bytes, {});
  const exports = instance.exports as unknown as Record<string, (n?: number) => number>;
  if (checks.poll) mapPollPage(instance);
  exports[names.start ?? ""]?.();
  const setFuel = exports[names.setFuel ?? ""];
  return { run: () => exports["run"]?.() ?? 0, refill: () => setFuel?.(FUEL) };
}

/** @throws Error when a kernel answers otherwise with checks than without */
export async function check(): Promise<void> {
  const answers = new Map<string, unknown>();
  for (const variant of Object.keys(VARIANTS))
    answers.set(variant, await inProcess("--answer", variant));
  const expected = answers.get("none");
  for (const [variant, answer] of answers) {
    if (Bun.deepEquals(answer, expected)) continue;
    const both = JSON.stringify([answer, expected]);
    throw new Error(`Cannot trust this benchmark: with ${variant} the kernels answer ${both}`);
  }
}

/** Memories have to be of the kind that ends with a reserved range: others have no page to poll. */
async function inProcess(task: string, variant: string): Promise<unknown> {
  const child = Bun.spawn([process.execPath, import.meta.path, task, variant], {
    env: { ...process.env, BUN_JSC_maxNumWasmFastMemories: "10000" },
    stderr: "inherit",
  });
  return child.stdout.json();
}

async function answerAll(variant: Variant): Promise<number[]> {
  const answers: number[] = [];
  for (const { text } of KERNELS) {
    const { run, refill } = await instantiate(text, variant);
    refill();
    answers.push(run(), run());
  }
  return answers;
}

/** Where checks poll, 65,536 bytes below 4 GiB. */
function mapPollPage(instance: WebAssembly.Instance): void {
  const { symbols } = dlopen("libc.so.6", {
    mmap: { args: ["u64", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
  });
  const { memory } = instance.exports as unknown as { memory: WebAssembly.Memory };
  const page = Number(ptr(new Uint8Array(memory.buffer))) + 0xffff_0000;
  const readWrite = 3;
  const privateFixedAnonymous = 0x32;
  symbols.mmap(page, 4096, readWrite, privateFixedAnonymous, -1, 0);
}

type Times = Record<string, number>;

/** Nanoseconds of the fastest tenth of the runs of each kernel. */
async function measureVariant(variant: Variant): Promise<Times> {
  const times: Times = {};
  for (const { name, text } of KERNELS) {
    const { run, refill } = await instantiate(text, variant);
    timed(run, refill, WARM_MS);
    times[name] = percentile(timed(run, refill, MEASURED_MS), 0.1);
  }
  return times;
}

function timed(run: () => number, refill: () => void, ms: number): number[] {
  const times: number[] = [];
  const end = Bun.nanoseconds() + ms * 1e6;
  // Ends: the clock goes on.
  while (Bun.nanoseconds() < end) {
    refill();
    const start = Bun.nanoseconds();
    run();
    times.push(Bun.nanoseconds() - start);
  }
  return times;
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}

async function measureAll(): Promise<void> {
  const variants = Object.keys(VARIANTS) as Variant[];
  const rounds = new Map<Variant, Times[]>(variants.map((variant) => [variant, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of variants) {
      rounds.get(variant)?.push((await inProcess("--measure", variant)) as Times);
    }
  }
  for (const [title, share] of [
    ["medians", 0.5],
    ["fastest", 0],
  ] as const) {
    process.stdout.write(`${title}\n\n${render(variants, rounds, share)}\n\n`);
  }
}

function render(
  variants: readonly Variant[],
  rounds: ReadonlyMap<Variant, Times[]>,
  share: number,
): string {
  const names = KERNELS.map(({ name }) => name);
  const times = (variant: Variant): number[] =>
    names.map((name) =>
      percentile(
        (rounds.get(variant) ?? []).map((each) => each[name] ?? 0),
        share,
      ),
    );
  const base = times("none");
  const rows = variants.map((variant) => {
    const ratios = times(variant).map((time, at) => time / (base[at] ?? 1));
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    const cells = [...ratios, mean].map((ratio) => `${((ratio - 1) * 100).toFixed(1)} %`);
    return variant === "none"
      ? ["none", ...base.map((time) => `${(time / 1000).toFixed(0)} µs`), ""]
      : [variant, ...cells];
  });
  const header = ["checks", ...names, "geometric mean"];
  const rule = header.map((_, at) => (at === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (import.meta.main) {
  const [, , task, variant] = Bun.argv;
  if (task === "--answer" || task === "--measure") {
    const work = task === "--answer" ? answerAll : measureVariant;
    process.stdout.write(JSON.stringify(await work(variant as Variant)));
  } else {
    await check();
    await measureAll();
  }
}
