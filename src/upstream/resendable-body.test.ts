import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { HeaderList } from "../http/headers.ts";
import { ResendableBody } from "./resendable-body.ts";
import { failure, ManualBody, textOf } from "./testing.ts";
import { GatewayError } from "../base/errors.ts";

describe("ResendableBody", () => {
  test("gives the source's chunks, length and trailers", async () => {
    const trailers = HeaderList.from([["a", "b"]]);
    const source = new ManualBody(5, trailers).give("he").give("llo").give(undefined);
    const body = new ResendableBody(source);
    expect(body.length).toBe(5);
    expect(body.trailers).toBe(trailers);
    expect(body.read()).toEqual(Buffer.from("he")); // Without a promise, as its source.
    expect(await textOf(body)).toBe("llo");
  });

  test("rewind() begins again with what was read, and goes on with the source", async () => {
    const source = new ManualBody(9).give("abc").give("def");
    const body = new ResendableBody(source);
    expect(body.rewind()).toBe(true);
    void body.read();
    void body.read();
    expect(body.rewind()).toBe(true);
    source.give("ghi").give(undefined);
    expect(await textOf(body)).toBe("abcdefghi");
    expect(body.rewind()).toBe(true);
    source.give(undefined);
    expect(await textOf(body)).toBe("abcdefghi");
  });

  test("rewind() works for chunks that came late", async () => {
    const source = new ManualBody(3);
    const body = new ResendableBody(source);
    const late = body.read();
    source.give("abc");
    expect(await late).toEqual(Buffer.from("abc"));
    expect(body.rewind()).toBe(true);
    source.give(undefined);
    expect(await textOf(body)).toBe("abc");
  });

  test("cancel() reaches the source", () => {
    const source = new ManualBody(3);
    new ResendableBody(source).cancel("enough");
    expect(source.cancelledWith).toBe("enough");
  });
});

describe("ResendableBody rewind() is refused", () => {
  test("while a read is pending, whose chunk would be lost", () => {
    const source = new ManualBody(3);
    const body = new ResendableBody(source);
    void body.read();
    expect(body.rewind()).toBe(false);
  });

  test("above the most bytes that are kept, but not at them", () => {
    const source = new ManualBody().give(new Uint8Array(LIMITS.resendBodyBytesMax));
    const body = new ResendableBody(source.give("x").give("y"));
    void body.read();
    expect(body.rewind()).toBe(true);
    void body.read();
    expect(body.read()).toEqual(Buffer.from("x"));
    expect(body.rewind()).toBe(false);
    expect(body.read()).toEqual(Buffer.from("y")); // It is a plain body from here on.
  });

  test("and then its chunks' buffers are the reader's, as the source gives them", () => {
    const source = new ManualBody();
    Object.assign(source, { givesBuffer: true });
    const body = new ResendableBody(
      source.give("a").give(new Uint8Array(LIMITS.resendBodyBytesMax)),
    );
    void body.read();
    expect(body.givesBuffer).toBe(false);
    void body.read();
    expect(body.givesBuffer).toBe(true);
  });

  test("after the source has failed", async () => {
    const source = new ManualBody(3);
    const body = new ResendableBody(source);
    const pending = failure(Promise.resolve(body.read()));
    source.give(new GatewayError("CLIENT_GONE", "gone"));
    expect((await pending).code).toBe("CLIENT_GONE");
    expect(body.rewind()).toBe(false);
  });
});
