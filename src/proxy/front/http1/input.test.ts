import { describe, expect, test } from "bun:test";
import { Input } from "./input.ts";

function inputOf(...chunks: string[]): Input {
  const input = new Input();
  for (const chunk of chunks) input.push(Buffer.from(chunk, "latin1"));
  return input;
}

/** All lines that are there. */
function lines(input: Input, bytesMax = 100): string[] {
  const found: string[] = [];
  while (input.nextLine(bytesMax)) found.push(input.line);
  return found;
}

describe("nextLine()", () => {
  const text = "GET / HTTP/1.1\r\nA: \xe9\r\n\r\nrest";
  test.each(Array.from({ length: text.length + 1 }, (_, at) => ({ at })))(
    "finds the same lines when the bytes are split at $at",
    ({ at }) => {
      const input = new Input();
      const found: string[] = [];
      for (const piece of [text.slice(0, at), text.slice(at)]) {
        if (piece === "") continue;
        input.push(Buffer.from(piece, "latin1"));
        while (found.length < 3 && input.nextLine(100)) found.push(input.line);
      }
      expect(found).toEqual(["GET / HTTP/1.1", "A: \xe9", ""]);
      const rest = [input.take(100), input.take(100)].map((bytes) => bytes?.toString("latin1"));
      expect(rest.join("")).toBe("rest");
    },
  );

  test("reads a head that is longer than its window", () => {
    const long = `X: ${"v".repeat(10_000)}`;
    expect(lines(inputOf(`A: 1\r\n${long}\r\nB: 2\r\n`), 20_000)).toEqual(["A: 1", long, "B: 2"]);
  });

  test("waits for the end of a line and keeps its start", () => {
    const input = inputOf("GET /", " HT");
    expect(input.nextLine(100)).toBe(false);
    expect(input.partial).toBe("GET / HT");
    input.push(Buffer.from("TP\r\n"));
    expect(lines(input)).toEqual(["GET / HTTP"]);
    expect(input.partial).toBe("");
  });

  test("hands out a line that is too long, whole or cut, as too long", () => {
    for (const chunks of [["a".repeat(50), "\r\n"], [`${"a".repeat(50)}\r\n`], ["a".repeat(12)]]) {
      const input = inputOf(...chunks);
      expect(input.nextLine(10)).toBe(true);
      expect(input.lineLength).toBeGreaterThan(10);
    }
  });

  test("takes a line of just the allowed length", () => {
    expect(lines(inputOf("0123456789", "\r", "\n"), 10)).toEqual(["0123456789"]);
    expect(lines(inputOf("0123456789\r\n"), 10)).toEqual(["0123456789"]);
  });

  test.each([
    { name: "text", line: "a\tb \xff", clean: true },
    { name: "a NUL", line: "a\0b", clean: false },
    { name: "a CR", line: "a\rb", clean: false },
    { name: "a DEL", line: "a\x7fb", clean: false },
  ])("tells whether a line with $name is clean", ({ line, clean }) => {
    const input = inputOf(`${line}\r\n`);
    expect(input.nextLine(100)).toBe(true);
    expect(input.isLineClean).toBe(clean);
  });
});

describe("nextLine() errors", () => {
  test.each([["a\nb\r\n"], ["\n"], ["\r\n\n"]])(
    "refuses a line that ends with LF alone: %j",
    (text) => {
      expect(() => lines(inputOf(text))).toThrow("LF alone");
      const split = inputOf(...text.split(""));
      expect(() => lines(split)).toThrow("LF alone");
    },
  );
});

describe("take()", () => {
  test("hands out what lies together, at most as much as asked for", () => {
    const input = inputOf("abc", "de");
    expect(input.length).toBe(5);
    expect(String(input.take(2))).toBe("ab");
    expect(String(input.take(10))).toBe("c");
    expect(String(input.take(10))).toBe("de");
    expect(input.take(10)).toBeUndefined();
    expect(input.length).toBe(0);
  });

  test("goes on behind a line, and a line goes on behind it", () => {
    const input = inputOf("5\r\nhello\r\n0\r\n");
    expect(input.nextLine(10)).toBe(true);
    expect(String(input.take(5))).toBe("hello");
    expect(lines(input, 10)).toEqual(["", "0"]);
  });
});

describe("clear()", () => {
  test("forgets everything and says how much that was", () => {
    const input = inputOf("abc\r\nde");
    expect(input.nextLine(100)).toBe(true);
    expect(input.nextLine(100)).toBe(false);
    input.push(Buffer.from("fgh"));
    expect(input.clear()).toBe(5);
    expect([input.length, input.partial, input.nextLine(100)]).toEqual([0, "", false]);
  });
});

/** The first line has been read, as when header lines are skipped. */
function behindFirstLine(text: string, ...chunks: string[]): Input {
  const input = inputOf(`first\r\n${text}`, ...chunks);
  expect(input.nextLine(100)).toBe(true);
  return input;
}

describe.each([
  ["skip()", (input: Input, text: string) => input.skip(text)],
  ["skipBytes()", (input: Input, text: string) => input.skipBytes(Buffer.from(text, "latin1"))],
] as const)("%s", (_name, skip) => {
  test("goes past lines that come next, and reads on behind them", () => {
    const input = behindFirstLine("A: \xe9\r\nB: 2\r\nrest\r\n");
    expect([skip(input, "A: \xe9\r\nB: 2\r\n"), input.length]).toEqual([true, 6]);
    expect(lines(input)).toEqual(["rest"]);
  });

  test.each([
    ["other bytes", ["A: 1\r\nB: 3\r\n"]],
    ["not all of them", ["A: 1\r\nB: 2\r"]],
    ["them in two chunks", ["A: 1\r\n", "B: 2\r\n"]],
  ])("leaves everything as it is when there are %s", (_what, [text = "", ...chunks]) => {
    const input = behindFirstLine(text, ...chunks);
    const before = input.length;
    expect([skip(input, "A: 1\r\nB: 2\r\n"), input.length]).toEqual([false, before]);
    expect(lines(input)[0]).toBe("A: 1");
  });

  test("leaves them to a line whose start has been read", () => {
    const input = behindFirstLine("start ");
    expect(input.nextLine(100)).toBe(false);
    input.push(Buffer.from("A: 1\r\n"));
    expect(skip(input, "A: 1\r\n")).toBe(false);
    expect(lines(input)).toEqual(["start A: 1"]);
  });
});
