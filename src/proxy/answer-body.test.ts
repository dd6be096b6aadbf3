import { expect, test } from "bun:test";
import { MemoryBody } from "../http/body.ts";
import { AnswerBody } from "./answer-body.ts";

test("an answer's body gives the buffers that its source gives, and no others", () => {
  for (const givesBuffer of [true, false]) {
    const source = Object.assign(new MemoryBody(Uint8Array.of(1)), { givesBuffer });
    expect(new AnswerBody(source, { finish() {} }).givesBuffer).toBe(givesBuffer);
  }
});
