import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { ReceiveQueue } from "./receive-queue.ts";

class Source {
  readonly calls: string[] = [];

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }
}

const HALF = LIMITS.receiveBufferBytes / 2;

function chunk(byteLength: number, fill = 0): Uint8Array {
  return new Uint8Array(byteLength).fill(fill);
}

describe("ReceiveQueue", () => {
  test("read() answers what waits, in order and without a promise", () => {
    const queue = new ReceiveQueue(new Source());
    queue.push(chunk(1, 1));
    queue.push(chunk(2, 2));
    expect(queue.read()).toEqual(chunk(1, 1));
    queue.push(chunk(3, 3));
    expect(queue.read()).toEqual(chunk(2, 2));
    expect(queue.read()).toEqual(chunk(3, 3));
  });

  test("read() waits for the next chunk, or the end", async () => {
    const queue = new ReceiveQueue(new Source());
    const first = queue.read();
    queue.push(chunk(1));
    expect(await first).toEqual(chunk(1));
    const second = queue.read();
    queue.end();
    expect(await second).toBeUndefined();
  });

  test("end() leaves what waits to be read; afterwards read() answers undefined for ever", () => {
    const queue = new ReceiveQueue(new Source());
    queue.push(chunk(1));
    queue.end();
    expect(queue.read()).toEqual(chunk(1));
    expect(queue.read()).toBeUndefined();
    expect(queue.read()).toBeUndefined();
  });

  test("pauses its source above the limit, once, and resumes it at half of it", () => {
    const source = new Source();
    const queue = new ReceiveQueue(source);
    queue.push(chunk(HALF));
    queue.push(chunk(HALF));
    expect(source.calls).toEqual([]);
    queue.push(chunk(1));
    queue.push(chunk(1));
    expect(source.calls).toContain("pause");
    void queue.read();
    expect(source.calls).not.toContain("resume");
    void queue.read();
    expect(source.calls.filter((call) => call === "resume")).toEqual(["resume"]);
  });

  test("pauses its source when it holds too many small chunks", () => {
    const source = new Source();
    const queue = new ReceiveQueue(source);
    for (let n = 0; n < LIMITS.receiveChunksMax; n++) queue.push(chunk(1));
    expect(source.calls).toEqual([]);
    queue.push(chunk(1));
    expect(source.calls).toEqual(["pause"]);
    for (let n = 0; n < LIMITS.receiveChunksMax / 2; n++) void queue.read();
    expect(source.calls).toEqual(["pause"]);
    void queue.read();
    expect(source.calls).toEqual(["pause", "resume"]);
  });

  test("does not touch its source after the end: that may serve somebody else", () => {
    const source = new Source();
    const queue = new ReceiveQueue(source);
    queue.push(chunk(LIMITS.receiveBufferBytes + 1));
    queue.end();
    void queue.read();
    expect(source.calls).toEqual(["pause"]);
  });
});

describe("ReceiveQueue errors", () => {
  test("fail() rejects the read that waits, and every later one: it is no end", async () => {
    const queue = new ReceiveQueue(new Source());
    const pending = Promise.resolve(queue.read()).catch((error: unknown) => error);
    queue.fail("broken");
    expect(await pending).toBe("broken");
    expect(() => queue.read()).toThrow("broken");
  });

  test("fail() lets what waits be read first, then read() throws", () => {
    const queue = new ReceiveQueue(new Source());
    queue.push(chunk(1));
    queue.fail(new Error("broken"));
    expect(queue.read()).toEqual(chunk(1));
    expect(() => queue.read()).toThrow("broken");
  });

  test("clear() before fail() leaves nothing but the error", () => {
    const queue = new ReceiveQueue(new Source());
    queue.push(chunk(1));
    queue.clear();
    queue.fail(new Error("broken"));
    expect(() => queue.read()).toThrow("broken");
  });

  test("a second read at once, and a push after the end, are bugs", () => {
    const queue = new ReceiveQueue(new Source());
    void queue.read();
    expect(() => queue.read()).toThrow("Cannot read twice at once");
    queue.end();
    expect(() => queue.push(chunk(1))).toThrow("has ended");
  });
});
