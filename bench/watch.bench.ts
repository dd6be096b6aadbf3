/**
 * Question: what does the watch cost, and how soon after its deadline is a guest stopped?
 *
 *   cost     enter() and leave() around nothing, and reset(): what each call of a guest pays
 *   stop     ms from enter() until the trap, by deadline and form of loop
 *   busy     CPU of the second thread while guests are called all the time, by deadline
 *   seldom   … while a guest is called 20 times a second
 *   idle     … while none is called
 *   memory   what the second thread adds to the process
 *
 * Not measured: what the polls cost inside of guests; what a trap costs whoever starts them anew.
 */
import { readFileSync } from "node:fs";
import { bench } from "mitata";
import {
  growForChase,
  LOOP_FORMS,
  type LoopForm,
  type LoopingGuest,
  loopingGuest,
} from "../src/wasm/watch/loops.testing.ts";
import { watchThreads } from "../src/wasm/watch/threads.testing.ts";
import { type PollPage, Watch } from "../src/wasm/watch/watch.ts";
import { measure } from "./measure.ts";

export const cases = ["cost", "stop", "busy", "seldom", "idle", "memory"] as const;

/** ms */
const DEADLINES = [1, 5, 20, 100] as const;
const SECONDS = 3;

interface Bed {
  readonly watch: Watch;
  readonly guest: LoopingGuest;
  readonly page: PollPage;
}

export async function check(): Promise<void> {
  const bed = await prepare();
  const stoppedMs = stop(bed, "empty", 20);
  if (!(stoppedMs > 15)) {
    throw new Error(`Cannot trust this benchmark: stopped after ${stoppedMs} ms instead of 20`);
  }
  bed.watch.stop();
}

async function prepare(): Promise<Bed> {
  const watch = await Watch.start();
  const guest = loopingGuest();
  const page = watch?.pageFor(guest.memory);
  if (watch === undefined || page === undefined) {
    throw new Error("Cannot measure: no thread watches, or this memory is not fast");
  }
  return { watch, guest, page };
}

/** @returns ms */
function stop({ watch, guest, page }: Bed, form: LoopForm, deadlineMs: number): number {
  const start = performance.now();
  watch.enter(page, deadlineMs);
  let trapped = false;
  try {
    guest[form]();
  } catch {
    trapped = true;
  }
  const took = performance.now() - start;
  if (!watch.leave() || !trapped) throw new Error(`Cannot trust this benchmark: ${form} returned`);
  return took;
}

async function cost(): Promise<void> {
  const { watch, page } = await prepare();
  bench("enter() and leave()", () => {
    watch.enter(page, 20);
    watch.leave();
  });
  bench("reset()", () => page.reset());
  await measure();
}

async function stopTimes(): Promise<void> {
  const bed = await prepare();
  growForChase(bed.guest);
  print(["loop", "deadline ms", "p50", "p99", "max"], ["---", "---:", "---:", "---:", "---:"]);
  for (const form of LOOP_FORMS) {
    for (const deadlineMs of DEADLINES) {
      const count = deadlineMs < 100 ? 50 : 10;
      const times = Array.from({ length: count }, () => stop(bed, form, deadlineMs));
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): string => (sorted[Math.floor(share * count)] ?? 0).toFixed(2);
      print([form, String(deadlineMs), at(0.5), at(0.99), (sorted.at(-1) ?? 0).toFixed(2)]);
    }
  }
}

/** Some 100 ns; a busy machine may make even that too late. */
function call({ watch, guest, page }: Bed, deadlineMs: number): void {
  watch.enter(page, deadlineMs);
  try {
    guest.count(100);
  } catch {
    lateCalls++;
  }
  watch.leave();
}

let lateCalls = 0;

async function busy(): Promise<void> {
  const bed = await prepare();
  for (const deadlineMs of DEADLINES) {
    await watchLoad(`busy, deadline ${deadlineMs} ms`, () => {
      const end = performance.now() + SECONDS * 1000;
      while (performance.now() < end) {
        call(bed, deadlineMs);
      }
    });
  }
}

async function seldom(): Promise<void> {
  const bed = await prepare();
  await watchLoad("20 calls a second", async () => {
    for (let n = 0; n < SECONDS * 20; n++) {
      call(bed, 20);
      await Bun.sleep(50);
    }
  });
}

async function idle(): Promise<void> {
  await prepare();
  await Bun.sleep(500);
  await watchLoad("idle", () => Bun.sleep(SECONDS * 1000));
}

/** Prints what the second thread uses of a core while `work` runs. */
async function watchLoad(name: string, work: () => void | Promise<void>): Promise<void> {
  const before = watchCpuMs();
  const start = performance.now();
  await work();
  const share = (watchCpuMs() - before) / (performance.now() - start);
  print([name, `${(share * 100).toFixed(3)} % of a core`, `${lateCalls} calls stopped`]);
  lateCalls = 0;
}

function watchCpuMs(): number {
  const nanoseconds = watchThreads().map((folder) =>
    Number(readFileSync(`${folder}/schedstat`, "latin1").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

async function memory(): Promise<void> {
  Bun.gc(true);
  await Bun.sleep(500);
  const before = residentKib();
  const watch = await Watch.start();
  await Bun.sleep(500);
  print(["second thread", `${residentKib() - before} KiB resident`]);
  watch?.stop();
}

function residentKib(): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
}

function print(...rows: string[][]): void {
  for (const cells of rows) process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

if (import.meta.main) {
  const runs = { cost, stop: stopTimes, busy, seldom, idle, memory };
  const name = (Bun.argv[2] ?? cases[0]) as (typeof cases)[number]; // One case per process.
  await check();
  await runs[name]();
}
