import { expect, test } from "bun:test";
import { RecentTexts } from "./recent-texts.ts";

function claim(recent: RecentTexts<number>, text: string): number {
  return recent.claim(text, 0, text.length);
}

test("RecentTexts find() knows a text that has come twice, wherever it stands", () => {
  const recent = new RecentTexts<number>();
  expect(claim(recent, "Host: a")).toBe(-1);
  const slot = claim(recent, "Host: a");
  recent.put(slot, 7);
  expect(recent.at(slot)).toBe(7);
  expect(recent.find("xxHost: ayy", 2, 9)).toBe(7);
  expect(recent.find("xxHost: byy", 2, 9)).toBeUndefined();
  expect(recent.find("xxHost: ayy", 2, 10)).toBeUndefined();
});

test("RecentTexts find() never takes one text for another of the same slot", () => {
  const recent = new RecentTexts<number>();
  const texts = Array.from({ length: 5000 }, (_, n) => `x-request-id: ${n}`);
  for (const [n, text] of texts.entries()) {
    claim(recent, text);
    const slot = claim(recent, text);
    recent.put(slot, n);
    expect(recent.find(text, 0, text.length)).toBe(n);
  }
  for (const [n, text] of texts.entries()) {
    expect([undefined, n]).toContain(recent.find(text, 0, text.length));
  }
});

test("RecentTexts claim() drops what had the slot, and takes no long text", () => {
  const recent = new RecentTexts<number>();
  const long = "x".repeat(2049);
  claim(recent, long);
  expect(claim(recent, long)).toBe(-1);
  // Alike in length and at the eight chars that are looked at.
  const [first, second] = [`a${"x".repeat(31)}`, `b${"x".repeat(31)}`];
  claim(recent, first);
  const slot = claim(recent, first);
  recent.put(slot, 1);
  expect(claim(recent, second)).toBe(-1);
  expect(recent.at(slot)).toBeUndefined();
  expect(recent.find(first, 0, first.length)).toBeUndefined();
});
