import { describe, expect, test } from "bun:test";
import { HeaderList } from "../../http/headers.ts";
import { WholeBody } from "./whole-body.ts";

const chunk = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at & 255);

describe("WholeBody", () => {
  test("read() answers its bytes once, in a buffer of their own when they are few", () => {
    for (const length of [1, 4096, 4097]) {
      const buffer = chunk(length + 20);
      const body = new WholeBody(buffer, 12, 12 + length, undefined);
      expect([body.length, body.givesBuffer]).toEqual([length, true]);
      const read = body.read();
      expect(read).toEqual(chunk(length + 20).slice(12, 12 + length));
      expect(read?.buffer === buffer.buffer).toBe(length > 4096);
      expect([body.read(), body.readInPlace()]).toEqual([undefined, undefined]);
    }
  });

  test("readInPlace() answers where they lie, in the place of read()", () => {
    const buffer = chunk(30);
    const body = new WholeBody(buffer, 12, 20, undefined);
    const { buffer: lies, start, end } = body.readInPlace() ?? {};
    expect([lies === buffer, start, end]).toEqual([true, 12, 20]);
    expect([body.readInPlace(), body.read()]).toEqual([undefined, undefined]);
  });

  test("has nothing to read when it is empty or was cancelled", () => {
    const empty = new WholeBody(chunk(5), 5, 5, undefined);
    expect([empty.length, empty.readInPlace(), empty.read()]).toEqual([0, undefined, undefined]);
    const cancelled = new WholeBody(chunk(5), 0, 5, undefined);
    cancelled.cancel();
    expect([cancelled.readInPlace(), cancelled.read()]).toEqual([undefined, undefined]);
  });

  test("carries its trailers", () => {
    const trailers = HeaderList.from([["A", "1"]]);
    expect(new WholeBody(chunk(5), 0, 5, trailers).trailers).toBe(trailers);
  });
});
