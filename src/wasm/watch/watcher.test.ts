import { describe, expect, test } from "bun:test";
import { Board, CALL, PHASE, RING_ALWAYS, SLOT, WORD } from "./board.ts";
import { Watcher } from "./watcher.ts";

const PAGE = 0x7000_ffff_0000;

describe("Watcher", () => {
  test("shuts the page once the thread has used up the deadline, not before", () => {
    const world = new World();
    world.enter(20);
    world.runFor(19.9);
    expect(world.phase()).toBe(PHASE.running);
    world.runFor(0.5);
    expect(world.phase()).toBe(PHASE.fired);
    expect(world.shut).toEqual([PAGE]);
  });

  test("is never later than a nap, whatever the deadline", () => {
    for (const [deadlineMs, napMs] of [
      [1, 0.5],
      [5, 0.625],
      [20, 2.5],
      [100, 5],
      [1000, 5],
    ] as const) {
      for (const offsetMs of [0, 0.1, 0.3, 0.7, 1.2, 3.1]) {
        const world = new World();
        world.call(deadlineMs); // So that it knows the deadline.
        world.runFor(10 + offsetMs);
        world.enter(deadlineMs);
        const start = world.nowMs;
        while (world.phase() === PHASE.running) world.wake();
        const lateMs = world.nowMs - start - deadlineMs;
        expect(lateMs).toBeGreaterThanOrEqual(0);
        expect(lateMs).toBeLessThanOrEqual(napMs + 0.001);
      }
    }
  });

  test.each([
    { deadlineMs: 1, wallMs: 11 },
    { deadlineMs: 20, wallMs: 200 },
    { deadlineMs: 100, wallMs: 1000 },
  ])(
    "grants a thread that gets a little of a CPU $wallMs ms for its $deadlineMs",
    ({ deadlineMs, wallMs }) => {
      const world = new World();
      world.share = (0.3 * deadlineMs) / wallMs;
      world.enter(deadlineMs);
      world.runFor(wallMs - 0.1);
      expect(world.phase()).toBe(PHASE.running);
      world.runFor(0.4);
      expect(world.phase()).toBe(PHASE.fired);
    },
  );

  test("does not stop a thread that gets no CPU", () => {
    const world = new World();
    world.share = 0;
    world.enter(20);
    world.runFor(5000);
    expect(world.phase()).toBe(PHASE.running);
  });

  test("grants a thread that gets part of a CPU less than twice its deadline", () => {
    const world = new World();
    world.share = 0.55;
    world.enter(20);
    world.runFor(34.9);
    expect(world.phase()).toBe(PHASE.running);
    world.runFor(0.4);
    expect(world.phase()).toBe(PHASE.fired);
  });

  test("does not add up the calls of a busy thread", () => {
    const world = new World();
    for (let n = 0; n < 100; n++) {
      world.enter(5);
      world.runFor(4);
      world.leave();
    }
    expect(world.shut).toEqual([]);
  });

  test("leaves alone a guest that returns while it decides, and the one after", () => {
    const world = new World();
    world.enter(20);
    world.runFor(19);
    // The look that finds the time used up has read RUNNING already when the clock is asked.
    world.interruptAtMs = world.nowMs + 1;
    world.interrupt = () => {
      world.leave();
      world.enter(20);
    };
    world.runFor(15);
    expect(world.interruptAtMs).toBe(Infinity);
    expect(world.shut).toEqual([]);
    expect(world.phase()).toBe(PHASE.running);
    world.runFor(10);
    expect(world.shut).toEqual([PAGE]);
  });

  test("shuts one page once, and waits until the guest has left", () => {
    const world = new World();
    world.enter(1);
    world.runFor(500);
    expect(world.shut).toEqual([PAGE]);
    expect(world.phase()).toBe(PHASE.fired);
  });

  test("sleeps until the bell rings when nothing has run for 10 ms", () => {
    const world = new World();
    world.call(20);
    world.runFor(9);
    expect(world.waits.at(-1)).toBe(2.5);
    world.runFor(6);
    expect(world.waits.at(-1)).toBe(Infinity);
    expect(world.ringBelow()).toBe(RING_ALWAYS);
    world.enter(20);
    world.wake(); // enter() rings.
    expect(world.waits.at(-1)).toBeLessThan(5);
  });

  test("sees a call before it sleeps that shows only after its look", () => {
    const world = new World();
    world.runFor(20); // It sleeps.
    world.interruptAtMs = world.nowMs;
    world.interrupt = () => world.enter(20); // Without the bell: it was not asked for yet.
    world.wake();
    expect(world.waits.at(-1)).toBeLessThan(5);
    world.runFor(25);
    expect(world.phase()).toBe(PHASE.fired);
  });

  test("stays awake while calls come and go between its looks", () => {
    const world = new World();
    for (let n = 0; n < 400; n++) {
      world.call(20);
      world.runFor(1);
    }
    expect(world.waits).not.toContain(Infinity);
  });

  test("asks for the bell for deadlines that its nap could miss", () => {
    const world = new World();
    world.call(100);
    world.runFor(8);
    expect(world.ringBelow()).toBe(10); // Naps of 5 ms.
    world.call(20);
    world.runFor(8);
    expect(world.ringBelow()).toBe(5);
    world.call(1);
    world.runFor(8);
    expect(world.ringBelow()).toBe(1);
  });

  test("says how long it will wait before it looks", () => {
    const world = new World();
    world.runFor(20); // It sleeps.
    world.interruptAtMs = world.nowMs;
    let seen = 0;
    world.interrupt = () => {
      // It has read IDLE; who enters now has to know that the bell is needed.
      seen = Atomics.load(world.board.words, WORD.ringBelow);
      world.enter(20);
      world.board.ring();
    };
    world.wake();
    expect(seen).toBe(RING_ALWAYS);
    // A bell between look and wait: the wait must not begin.
    expect(world.lastBell).not.toBe(Atomics.load(world.board.words, WORD.bell));
  });

  test("never waits longer than it has said before it looked", () => {
    const world = new World();
    world.call(1);
    world.runFor(5);
    world.call(1000);
    const before = world.waits.length;
    world.wake();
    expect(world.waits[before]).toBe(0.5);
    world.wake();
    expect(world.waits[before + 1]).toBe(5);
  });

  test("counts ticks while it is awake, by what the thread uses", () => {
    const world = new World();
    world.share = 0.5;
    for (let n = 0; n < 10; n++) {
      world.call(20);
      world.runFor(4);
    }
    const awake = world.ticks();
    expect(awake).toBeGreaterThan(20 - 2.5);
    expect(awake).toBeLessThanOrEqual(20);
    world.runFor(10_000); // It sleeps: what runs is no guest.
    world.call(20);
    world.wake();
    world.wake();
    // What is left of the time before it slept, and one nap after it was rung for.
    expect(world.ticks() - awake).toBeLessThan(10);
  });
});

describe("Watcher errors", () => {
  test("tries again to shut a page that the kernel has refused to shut", () => {
    const world = new World();
    world.refusals = 3;
    world.enter(20);
    world.runFor(25);
    expect(world.phase()).toBe(PHASE.fired);
    expect(world.shut).toEqual([PAGE, PAGE, PAGE, PAGE]);
  });

  test("lets a guest leave whose page could not be shut", () => {
    const world = new World();
    world.refusals = 1_000_000;
    world.enter(1);
    world.runFor(10);
    expect(world.phase()).toBe(PHASE.running);
    expect(world.leave()).toBe(true);
  });

  test("ends when it is told to stop", () => {
    const world = new World();
    world.runFor(1);
    Atomics.store(world.board.words, WORD.stop, 1);
    expect(world.watcher.turn()).toBe(false);
  });
});

/** A board, and a watcher in a world whose clock only its waits move. */
class World {
  readonly board = new Board();
  readonly watcher: Watcher;
  readonly shut: number[] = [];
  readonly waits: number[] = [];
  /** What the last wait took the bell for. */
  lastBell = -1;
  nowMs = 1000;
  usedMs = 50;
  /** Of a CPU, for the watched thread. */
  share = 1;
  /** How often shutting a page fails. */
  refusals = 0;
  /** Called once, in the middle of the first look at or after that time. */
  interrupt: () => void = () => {};
  interruptAtMs = Infinity;
  #endMs = 0;
  #idle = 0;

  constructor() {
    this.watcher = new Watcher(this.board, {
      nowMs: () => {
        if (this.nowMs >= this.interruptAtMs) {
          this.interruptAtMs = Infinity;
          this.interrupt();
        }
        return this.nowMs;
      },
      usedMs: () => this.usedMs,
      shut: (address) => {
        this.shut.push(address);
        return this.refusals-- <= 0;
      },
      wait: (bell, timeoutMs) => {
        this.waits.push(timeoutMs);
        this.lastBell = bell;
        // Asleep: the test goes on at once, and whatever it does rings.
        this.#pass(Math.min(timeoutMs, Math.max(0, this.#endMs - this.nowMs)));
      },
    });
  }

  enter(deadlineMs: number): void {
    const { words, slots } = this.board;
    slots[SLOT.deadlineMs] = deadlineMs;
    slots[SLOT.pageAddress] = PAGE;
    this.#idle += CALL;
    Atomics.store(words, WORD.state, this.#idle + PHASE.running);
  }

  /** @returns true when the guest could leave without the watch */
  leave(): boolean {
    const running = this.#idle + PHASE.running;
    return Atomics.compareExchange(this.board.words, WORD.state, running, this.#idle) === running;
  }

  call(deadlineMs: number): void {
    this.enter(deadlineMs);
    this.leave();
  }

  /** Has the watch look and wait until so much time has passed. */
  runFor(ms: number): void {
    this.#endMs = this.nowMs + ms;
    while (this.nowMs < this.#endMs) this.watcher.turn();
  }

  /** One look and the whole wait after it. */
  wake(): void {
    this.#endMs = this.nowMs + 1_000_000;
    this.watcher.turn();
  }

  phase(): number {
    return Atomics.load(this.board.words, WORD.state) & 3;
  }

  /** As it was while the watch waited. */
  ringBelow(): number {
    return this.#ringBelow;
  }

  ticks(): number {
    return this.board.slots[SLOT.ticksMs] ?? 0;
  }

  #ringBelow = 0;

  #pass(ms: number): void {
    this.#ringBelow = Atomics.load(this.board.words, WORD.ringBelow);
    this.nowMs += ms;
    this.usedMs += ms * this.share;
  }
}
