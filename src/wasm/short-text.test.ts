import { describe, expect, test } from "bun:test";
import { SHORT_TEXT_BYTES_MAX, shortText } from "./short-text.ts";

describe("shortText()", () => {
  test("is what the bytes say, however many texts share a slot", () => {
    const texts = Array.from({ length: 4000 }, (_, n) => `${n.toString(36)}\u00ff${n % 9}`);
    for (let round = 0; round < 2; round++) {
      for (const text of texts) {
        const bytes = Buffer.from(`..${text}..`, "latin1");
        const decode = (start: number, end: number): string => bytes.toString("latin1", start, end);
        expect(shortText(bytes, 2, 2 + text.length, decode)).toBe(text);
      }
    }
  });

  test("decodes a text once while nothing takes its slot", () => {
    const bytes = Buffer.from("x".repeat(SHORT_TEXT_BYTES_MAX));
    let decoded = 0;
    const decode = (start: number, end: number): string => {
      decoded++;
      return bytes.toString("latin1", start, end);
    };
    for (let n = 0; n < 5; n++) shortText(bytes, 0, bytes.length, decode);
    expect(decoded).toBe(1);
  });
});
