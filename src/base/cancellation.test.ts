import { describe, expect, test } from "bun:test";
import { Cancellation } from "./cancellation.ts";

describe("Cancellation", () => {
  test("calls its listeners once, in order, with the first reason", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    cancellation.listen({ cancelled: (reason) => heard.push(`a ${String(reason)}`) });
    cancellation.listen({ cancelled: (reason) => heard.push(`b ${String(reason)}`) });
    cancellation.listen({ cancelled: (reason) => heard.push(`c ${String(reason)}`) });
    cancellation.cancel("first");
    cancellation.cancel("second");
    expect(heard).toEqual(["a first", "b first", "c first"]);
    expect(cancellation.reason).toBe("first");
  });

  test("calls a listener at once that comes too late", () => {
    const cancellation = new Cancellation();
    cancellation.cancel("gone");
    let heard: unknown;
    cancellation.listen({ cancelled: (reason) => (heard = reason) });
    expect(heard).toBe("gone");
  });

  test("forgets a listener that was taken off", () => {
    const cancellation = new Cancellation();
    let calls = 0;
    const listeners = [1, 10, 100].map((weight) => ({ cancelled: () => (calls += weight) }));
    for (const listener of listeners) cancellation.listen(listener);
    for (const at of [1, 0, 0]) cancellation.ignore(listeners[at] as (typeof listeners)[number]);
    cancellation.cancel("x");
    expect(calls).toBe(100);
  });
});
