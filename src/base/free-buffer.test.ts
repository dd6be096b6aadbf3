import { expect, test } from "bun:test";
import { freeBuffer } from "./free-buffer.ts";

test("freeBuffer() empties all views of a buffer, and no other", () => {
  const whole = new Uint8Array(8192).fill(1);
  const part = whole.subarray(4096);
  const copy = whole.slice();
  freeBuffer(part);
  expect([whole.length, part.length, copy.length]).toEqual([0, 0, 8192]);
  expect(copy.every((byte) => byte === 1)).toBe(true);
});
