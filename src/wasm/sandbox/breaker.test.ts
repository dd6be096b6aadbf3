import { describe, expect, test } from "bun:test";
import { Breaker } from "./breaker.ts";

const SETTINGS = { failures: 3, windowMs: 1000, openMs: 500 };

describe("Breaker", () => {
  test("opens at so many failures within the window", () => {
    const { breaker, clock } = make();
    for (const ms of [0, 400, 800]) {
      expect(breaker.admit()).toBe(true);
      clock.ms = ms;
      breaker.failed();
    }
    expect(breaker.state).toBe("open");
    expect(breaker.admit()).toBe(false);
    expect(breaker.opened).toBe(1);
  });

  test("stays closed when the failures are further apart", () => {
    const { breaker, clock } = make();
    for (let ms = 0; ms < 20_000; ms += 501) {
      clock.ms = ms;
      breaker.failed();
      expect(breaker.admit()).toBe(true);
    }
  });

  test("lets one exchange try after the pause, and closes when it succeeds", () => {
    const { breaker, clock, states } = make();
    for (let n = 0; n < 3; n++) breaker.failed();
    clock.ms = 499;
    expect(breaker.retryInMs).toBe(1);
    expect(breaker.admit()).toBe(false);
    clock.ms = 500;
    expect(breaker.admit()).toBe(true);
    expect(breaker.admit()).toBe(false);
    breaker.succeeded();
    expect(breaker.admit()).toBe(true);
    expect(states).toEqual(["open", "half-open", "closed"]);
  });

  test("opens again when the one that tried fails, and counts anew after it has closed", () => {
    const { breaker, clock } = make();
    for (let n = 0; n < 3; n++) breaker.failed();
    clock.ms = 500;
    breaker.admit();
    breaker.failed();
    expect(breaker.state).toBe("open");
    clock.ms = 999;
    expect(breaker.admit()).toBe(false);
    clock.ms = 1000;
    expect(breaker.admit()).toBe(true);
    breaker.succeeded();
    breaker.failed();
    breaker.failed();
    expect(breaker.state).toBe("closed");
    breaker.failed();
    expect(breaker.state).toBe("open");
    expect(breaker.opened).toBe(3);
  });

  test("gives up a trial that tells nothing, and lets the next one try", () => {
    const { breaker, clock } = make();
    for (let n = 0; n < 3; n++) breaker.failed();
    clock.ms = 500;
    expect(breaker.admit()).toBe(true);
    clock.ms = 999;
    expect(breaker.admit()).toBe(false);
    clock.ms = 1000;
    expect(breaker.admit()).toBe(true);
    expect(breaker.admit()).toBe(false);
  });

  test("opens at the first failure when that is the bound, and never when there is none", () => {
    const one = make({ ...SETTINGS, failures: 1 }).breaker;
    one.failed();
    expect(one.state).toBe("open");
    const none = make({ ...SETTINGS, failures: 0 }).breaker;
    for (let n = 0; n < 1000; n++) none.failed();
    expect(none.admit()).toBe(true);
  });
});

function make(settings = SETTINGS) {
  const clock = { ms: 0 };
  const states: string[] = [];
  const breaker = new Breaker(
    settings,
    () => clock.ms,
    (state) => states.push(state),
  );
  return { breaker, clock, states };
}
