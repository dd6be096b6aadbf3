import { describe, expect, test } from "bun:test";
import { Cancellation } from "./cancellation.ts";

describe("Cancellation", () => {
  test("calls its listeners once, in order, with the first reason", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    cancellation.onCancel((reason) => heard.push(`a ${String(reason)}`));
    cancellation.onCancel((reason) => heard.push(`b ${String(reason)}`));
    cancellation.cancel("first");
    cancellation.cancel("second");
    expect(heard).toEqual(["a first", "b first"]);
    expect(cancellation.reason).toBe("first");
  });

  test("calls a listener at once that comes too late", () => {
    const cancellation = new Cancellation();
    cancellation.cancel("gone");
    let heard: unknown;
    cancellation.onCancel((reason) => (heard = reason));
    expect(heard).toBe("gone");
  });

  test("forgets a listener that was taken off", () => {
    const cancellation = new Cancellation();
    let calls = 0;
    const off = cancellation.onCancel(() => calls++);
    off();
    cancellation.cancel("x");
    expect(calls).toBe(0);
  });
});
