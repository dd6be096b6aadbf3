import { describe, expect, test } from "bun:test";
import { type Body, collect, MemoryBody } from "./body.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("MemoryBody", () => {
  test("gives its bytes once, then the end", () => {
    const body = new MemoryBody(bytes("abc"));
    expect(body.length).toBe(3);
    expect(body.read()).toEqual(bytes("abc"));
    expect(body.read()).toBeUndefined();
  });

  test("gives nothing after cancel(), and never an empty chunk", () => {
    const body = new MemoryBody(bytes("abc"));
    body.cancel();
    expect(body.read()).toBeUndefined();
    expect(new MemoryBody(bytes("")).read()).toBeUndefined();
  });
});

describe("collect()", () => {
  test("joins the chunks", async () => {
    expect(await collect(chunks("ab", "c", "def"), 6)).toEqual(bytes("abcdef"));
    expect(await collect(chunks(), 6)).toEqual(bytes(""));
  });

  test("cancels a body that is too long", async () => {
    const body = chunks("abcd", "efg");
    expect(await collect(body, 6)).toBeUndefined();
    expect(body.cancelled).toBe(true);
  });
});

function chunks(...texts: string[]): Body & { cancelled: boolean } {
  return {
    length: undefined,
    trailers: undefined,
    cancelled: false,
    read: () => {
      const text = texts.shift();
      return Promise.resolve(text === undefined ? undefined : bytes(text));
    },
    cancel() {
      this.cancelled = true;
    },
  };
}
