import { expect, test } from "bun:test";
import { TrailedBody } from "../filter/trailed-body.ts";
import { type Body, MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import { AnswerBody } from "./answer-body.ts";
import { LimitedBody } from "./limited-body.ts";

const wrappers: [name: string, wrap: (inner: Body) => Body][] = [
  ["an answer's body", (inner) => new AnswerBody(inner, { finish() {} })],
  ["a limited body", (inner) => new LimitedBody(inner, 100)],
  ["a body with other trailers", (inner) => new TrailedBody(inner, new HeaderList())],
];

test.each(wrappers)("%s gives the buffers that its source gives, and no others", (_, wrap) => {
  for (const givesBuffer of [true, false]) {
    const source = Object.assign(new MemoryBody(Uint8Array.of(1)), { givesBuffer });
    expect(wrap(source).givesBuffer).toBe(givesBuffer);
  }
  expect(wrap(new MemoryBody(Uint8Array.of(1))).givesBuffer).toBe(false);
});
