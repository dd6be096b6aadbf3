import { expect, test } from "bun:test";
import { decoderFor } from "./body-decoder.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import { Input } from "./input.ts";
import { RequestBody } from "./request-body.ts";

test("a body gives its buffer only when no other request lies in it", () => {
  for (const [behind, givesBuffer] of [
    ["", true],
    ["GET /next HTTP/1.1\r\n", false],
  ] as const) {
    const input = new Input();
    input.push(Buffer.from(`hello${behind}`));
    const source = { input, onBodyWanted() {}, onBodyTaken() {} };
    const body = new RequestBody(source, decoderFor(5, HTTP1_BOUNDS), 5);
    expect(String(Buffer.from(body.read() as Uint8Array))).toBe("hello");
    expect(body.givesBuffer).toBe(givesBuffer);
  }
});
