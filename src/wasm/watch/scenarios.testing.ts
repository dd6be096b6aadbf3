/**
 * What the tests of the watch do, each in a process of its own: the number of fast memories is one
 * of the engine's options, and a guest that nobody stops must not take the test run with it.
 *
 *   bun src/wasm/watch/scenarios.testing.ts SCENARIO      answers with JSON on stdout
 *
 * The process ends by itself, although the second thread still watches.
 */
import { readFileSync } from "node:fs";
import { assert } from "../../base/assert.ts";
import { messageOf } from "../../base/errors.ts";
import {
  growForChase,
  type LoopForm,
  LOOP_FORMS,
  type LoopingGuest,
  loopingGuest,
} from "./loops.testing.ts";
import { watchThreads } from "./threads.testing.ts";
import { type PollPage, Watch } from "./watch.ts";

const SCENARIOS = {
  stops,
  honest,
  edges,
  wakes,
  inTurn,
  expires,
  ticks,
  keeps,
  frees,
  slow,
  ends,
  misuse,
};

export type Scenario = keyof typeof SCENARIOS;

/** How one call ended. */
interface Outcome {
  readonly trapped: boolean;
  readonly late: boolean;
}

class Sandbox {
  readonly guest: LoopingGuest;
  readonly #watch: Watch;
  readonly page: PollPage;

  constructor(watch: Watch, host?: () => void) {
    this.guest = loopingGuest(host);
    this.#watch = watch;
    const page = watch.pageFor(this.guest.memory);
    assert(page !== undefined, "Cannot test: this memory is not fast");
    this.page = page;
  }

  call(deadlineMs: number, run: (guest: LoopingGuest) => void): Outcome {
    let trapped = false;
    this.#watch.enter(this.page, deadlineMs);
    try {
      run(this.guest);
    } catch (error) {
      trapped = error instanceof WebAssembly.RuntimeError;
    }
    return { late: this.#watch.leave(), trapped };
  }

  spin(deadlineMs: number): Outcome {
    return this.call(deadlineMs, (guest) => guest.empty());
  }

  count(turns: number): Outcome {
    return this.call(HONEST_MS, (guest) => guest.count(turns));
  }
}

/** ms; a deadline that no honest call misses, however busy the machine. */
const HONEST_MS = 60_000;
const STOPPED: Outcome = { trapped: true, late: true };

/** Every form, cold and warm; the call after each one works. */
async function stops(): Promise<object> {
  const watch = await started();
  const sandbox = new Sandbox(watch);
  growForChase(sandbox.guest);
  const ended: Partial<Record<LoopForm, Outcome[]>> = {};
  for (const form of LOOP_FORMS) {
    ended[form] = [1, 2, 3].map(() => sandbox.call(20, (guest) => guest[form]()));
    expectHonest(sandbox.count(1000));
  }
  return ended;
}

/** 100,000 short calls, with firings in between. */
async function honest(): Promise<object> {
  const watch = await started();
  const sandbox = new Sandbox(watch);
  let fired = 0;
  for (let n = 0; n < 100_000; n++) {
    expectHonest(sandbox.count(1 + (n % 64)));
    if (n % 2500 === 0 && isStopped(sandbox.spin(1 + (n % 3)))) fired++;
  }
  return { fired };
}

/** Calls that end about when their deadline does: the next call is never hurt. */
async function edges(): Promise<object> {
  const watch = await started();
  const sandbox = new Sandbox(watch);
  const ended = { returned: 0, stopped: 0, returnedLate: 0 };
  let turns = 10_000;
  for (let n = 0; n < 1000; n++) {
    const { trapped, late } = sandbox.call(1, (guest) => guest.count(turns));
    assert(late || !trapped, "A guest was stopped that was not late");
    ended[trapped ? "stopped" : late ? "returnedLate" : "returned"]++;
    turns = Math.ceil(turns * (late ? 0.96 : 1.04));
    expectHonest(sandbox.count(100));
  }
  return ended;
}

/** Guests that enter just when the watch falls asleep, or naps too long for their deadline. */
async function wakes(): Promise<object> {
  const watch = await started();
  const sandbox = new Sandbox(watch);
  let fired = 0;
  for (let n = 0; n < 200; n++) {
    const until = performance.now() + 7 + (n % 80) / 10;
    while (performance.now() < until);
    if (isStopped(sandbox.spin(1))) fired++;
  }
  for (let n = 0; n < 400; n++) {
    sandbox.call(100, (guest) => guest.count(10)); // From here on it naps for 5 ms.
    const until = performance.now() + (n % 60) / 10;
    while (performance.now() < until);
    if (isStopped(sandbox.spin(1))) fired++;
  }
  return { fired };
}

/** Sandboxes in turn: the page of one is shut, the others run. */
async function inTurn(): Promise<object> {
  const watch = await started();
  const sandboxes = [1, 2, 3].map(() => new Sandbox(watch));
  let fired = 0;
  for (let n = 0; n < 30; n++) {
    for (const sandbox of sandboxes) expectHonest(sandbox.count(1000));
    if (isStopped(sandboxes[n % 3]?.spin(2))) fired++;
  }
  return { fired };
}

/** A host function learns that its guest's time is up before it returns to it. */
async function expires(): Promise<object> {
  const watch = await started();
  const seen: boolean[] = [];
  const sandbox = new Sandbox(watch, () => {
    seen.push(watch.expired);
    const giveUp = performance.now() + 10_000;
    while (!watch.expired && performance.now() < giveUp);
    seen.push(watch.expired);
  });
  const before = watch.expired;
  const outcome = sandbox.call(20, (guest) => guest.hostCalls());
  // It may be called once more until the page is shut.
  return { before, seen: seen.slice(0, 2), outcome, after: watch.expired };
}

async function ticks(): Promise<object> {
  const watch = await started();
  const sandbox = new Sandbox(watch);
  const inGuests = watch.ticks;
  for (let n = 0; n < 10; n++) sandbox.spin(20);
  const counted = watch.ticks - inGuests;
  await Bun.sleep(200);
  const asleep = watch.ticks;
  const until = performance.now() + 100;
  while (performance.now() < until);
  return { counted, whileAsleep: watch.ticks - asleep };
}

/** What a guest keeps in its page is there until reset(), after a firing too. */
async function keeps(): Promise<object> {
  const watch = await started();
  const sandbox = new Sandbox(watch);
  const kept: number[] = [];
  const look = (): void => void sandbox.call(HONEST_MS, (guest) => kept.push(guest.kept()));
  sandbox.call(HONEST_MS, (guest) => guest.keep(42));
  look();
  sandbox.spin(1);
  look();
  sandbox.page.reset();
  look();
  return { kept };
}

/** Mappings go with their memories, and a new memory at an old address has no page. */
async function frees(): Promise<object> {
  const watch = await started();
  const bases = new Set<number>();
  let reused = 0;
  let unmapped = 0;
  let before = 0;
  for (let n = 0; n < 1000; n++) {
    const sandbox = new Sandbox(watch);
    expectHonest(sandbox.count(10));
    const { address } = sandbox.page;
    if (bases.has(address)) reused++;
    bases.add(address);
    if (n % 100 === 99) Bun.gc(true);
    if (n === 499) before = mappings();
    if (trapsWithoutPage()) unmapped++;
  }
  Bun.gc(true);
  return { reused: reused > 0, unmapped, grown: mappings() - before };
}

function trapsWithoutPage(): boolean {
  try {
    loopingGuest().count(1);
    return false;
  } catch (error) {
    return error instanceof WebAssembly.RuntimeError;
  }
}

function mappings(): number {
  return readFileSync("/proc/self/maps", "latin1").split("\n").length;
}

/** Run without fast memories. */
async function slow(): Promise<object> {
  const watch = await started();
  return { page: watch.pageFor(loopingGuest().memory) === undefined ? "none" : "mapped" };
}

/** After stop() the second thread is gone. */
async function ends(): Promise<object> {
  const watch = await started();
  const during = watchThreads().length;
  watch.stop();
  const giveUp = performance.now() + 10_000;
  while (watchThreads().length > 0 && performance.now() < giveUp) await Bun.sleep(10);
  return { during, after: watchThreads().length };
}

/** Calls that only a bug of the host makes. */
async function misuse(): Promise<object> {
  const watch = await started();
  const { page } = new Sandbox(watch);
  const errors: string[] = [];
  const attempt = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      errors.push(messageOf(error));
    }
  };
  attempt(() => watch.leave());
  watch.enter(page, HONEST_MS);
  attempt(() => watch.enter(page, HONEST_MS));
  watch.leave();
  return { errors };
}

async function started(): Promise<Watch> {
  const watch = await Watch.start();
  assert(watch !== undefined, "Cannot test: no thread watches");
  return watch;
}

function expectHonest({ trapped, late }: Outcome): void {
  assert(!trapped && !late, "An honest call was stopped");
}

function isStopped(outcome: Outcome | undefined): boolean {
  return outcome?.trapped === STOPPED.trapped && outcome.late === STOPPED.late;
}

if (import.meta.main) {
  const scenario = SCENARIOS[Bun.argv[2] as Scenario];
  process.stdout.write(JSON.stringify(await scenario()));
}
