import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../base/errors.ts";
import { decoderFor } from "./body-decoder.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import type { Http1Bounds } from "./bounds.ts";
import { Input } from "./input.ts";
import type { BodyFraming } from "./request-head.ts";

interface Decoded {
  readonly body: string;
  readonly ended: boolean;
  /** What lies behind the body, untouched. */
  readonly rest: string;
  readonly trailers: readonly (readonly [string, string])[] | undefined;
}

function decode(
  framing: Exclude<BodyFraming, 0>,
  pieces: Iterable<string>,
  bounds: Partial<Http1Bounds> = {},
): Decoded | string {
  const decoder = decoderFor(framing, { ...HTTP1_BOUNDS, ...bounds });
  const input = new Input();
  let body = "";
  try {
    for (const piece of pieces) {
      if (piece === "") continue;
      input.push(Buffer.from(piece, "latin1"));
      for (let got = decoder.next(input); got !== undefined; got = decoder.next(input)) {
        if (got.length === 0) throw new Error("Cannot be: an empty piece");
        body += Buffer.from(got).toString("latin1");
      }
    }
  } catch (error) {
    if (error instanceof GatewayError) return `${error.status} ${error.code}`;
    throw error;
  }
  let rest = "";
  for (let got = input.take(1000); got !== undefined; got = input.take(1000)) rest += String(got);
  const { done: ended, trailers } = decoder;
  return { body, ended, rest, trailers: trailers === undefined ? undefined : [...trailers] };
}

const NEXT = "GET /next HTTP/1.1\r\n";

describe("next() of a length", () => {
  test("takes just the body, however it is split", () => {
    for (const pieces of [[`hello${NEXT}`], `hello${NEXT}`, ["hel", `lo${NEXT}`]]) {
      expect(decode(5, pieces)).toEqual({
        body: "hello",
        ended: true,
        rest: NEXT,
        trailers: undefined,
      });
    }
  });

  test("waits for what is missing", () => {
    expect(decode(6, ["hello"])).toMatchObject({ body: "hello", ended: false });
  });
});

describe("next() of chunks", () => {
  const none = undefined;
  test.each([
    { name: "nothing", wire: "0\r\n\r\n", body: "", trailers: none },
    { name: "one chunk", wire: "5\r\nhello\r\n0\r\n\r\n", body: "hello", trailers: none },
    {
      name: "digits of both cases",
      wire: "a\r\n0123456789\r\nA\r\n0123456789\r\n00\r\n\r\n",
      body: "01234567890123456789",
      trailers: none,
    },
    {
      name: "leading zeros",
      wire: "0000000000000003\r\nabc\r\n0\r\n\r\n",
      body: "abc",
      trailers: none,
    },
    {
      name: "extensions",
      wire: '3;a\r\nabc\r\n3 ; b="c;d"\r\ndef\r\n0;e=\xe9\r\n\r\n',
      body: "abcdef",
      trailers: none,
    },
    {
      name: "chunks that look like framing",
      wire: "7\r\n0\r\n\r\nab\r\n0\r\n\r\n",
      body: "0\r\n\r\nab",
      trailers: none,
    },
    {
      name: "trailers",
      wire: "1\r\nx\r\n0\r\nX-Sum: 1 \r\nx-sum:2\r\n\r\n",
      body: "x",
      trailers: [
        ["X-Sum", "1"],
        ["x-sum", "2"],
      ],
    },
    {
      name: "many small chunks",
      wire: `${"1\r\nx\r\n".repeat(3000)}0\r\n\r\n`,
      body: "x".repeat(3000),
      trailers: none,
    },
    {
      name: "large chunks",
      wire: `4e20\r\n${"y".repeat(20_000)}\r\n0\r\n\r\n`,
      body: "y".repeat(20_000),
      trailers: none,
    },
  ])("decodes $name", ({ wire, body, trailers }) => {
    const expected = { body, ended: true, rest: NEXT, trailers };
    expect(decode("chunked", [wire + NEXT])).toEqual(expected as Decoded);
    if (wire.length < 500) expect(decode("chunked", wire + NEXT)).toEqual(expected as Decoded);
    for (let at = 1; at < wire.length; at += Math.ceil(wire.length / 200)) {
      expect(decode("chunked", [wire.slice(0, at), wire.slice(at) + NEXT])).toEqual(
        expected as Decoded,
      );
    }
  });

  test("joins small chunks instead of handing out each byte", () => {
    const input = new Input();
    input.push(Buffer.from("1\r\nx\r\n".repeat(5000)));
    const decoder = decoderFor("chunked", HTTP1_BOUNDS);
    let pieces = 0;
    while (decoder.next(input) !== undefined) pieces++;
    expect(pieces).toBeLessThan(10);
  });

  test("waits for what is missing", () => {
    for (const wire of [
      "",
      "5",
      "5\r",
      "5\r\n",
      "5\r\nhel",
      "5\r\nhello",
      "5\r\nhello\r",
      "5\r\nhello\r\n0\r\n",
      "0\r\n\r",
      "0\r\nA: b\r\n",
    ]) {
      expect(decode("chunked", [wire])).toMatchObject({ ended: false });
    }
  });
});

/** A chunk, the last chunk, and trailers. */
const last = (text: string): string => `1\r\nx\r\n0\r\n${text}\r\n\r\n`;

describe("next() errors", () => {
  const MALFORMED = "400 REQUEST_MALFORMED";
  const LARGE = "431 REQUEST_HEADERS_TOO_LARGE";
  test.each([
    ...[
      "",
      "g",
      "-1",
      "+1",
      "0x1",
      " 1",
      "1 ",
      "1\t",
      "1 1",
      "1,",
      "1\0",
      "\xb2",
      "10000000000000000",
      "fffffffffffffff",
      "20000000000000",
    ].map(
      (size) =>
        [`chunk size ${JSON.stringify(size)}`, `${size}\r\nx\r\n0\r\n\r\n`, MALFORMED] as const,
    ),
    ["LF alone behind a size", "1\nx\r\n0\r\n\r\n", MALFORMED],
    ["LF alone behind a chunk", "1\r\nx\n0\r\n\r\n", MALFORMED],
    ["LF alone behind the last chunk", "1\r\nx\r\n0\n\r\n", MALFORMED],
    ["LF alone at the end", "1\r\nx\r\n0\r\n\n", MALFORMED],
    ["LF in an extension", "1;a\nb\r\nx\r\n0\r\n\r\n", MALFORMED],
    ["CR in an extension", "1;a\rb\r\nx\r\n0\r\n\r\n", MALFORMED],
    ["NUL in an extension", "1;\0\r\nx\r\n0\r\n\r\n", MALFORMED],
    ["a chunk longer than its size", "1\r\nxy\r\n0\r\n\r\n", MALFORMED],
    ["a chunk shorter than its size", "3\r\nx\r\n0\r\n\r\n", MALFORMED],
    ["a long extension", `1;${"e".repeat(300)}\r\nx\r\n0\r\n\r\n`, MALFORMED],
    ["many extensions", `1;${"e".repeat(200)}\r\nx\r\n`.repeat(100), MALFORMED],
    ["a length in trailers", last("Content-Length: 5"), MALFORMED],
    ["a coding in trailers", last("Transfer-Encoding: chunked"), MALFORMED],
    ["a host in trailers", last("Host: b"), MALFORMED],
    ["a space in a trailer's name", last("A : b"), MALFORMED],
    ["a folded trailer", last("A: b\r\n c"), MALFORMED],
    ["a control in a trailer", last("A: b\0"), MALFORMED],
    ["many trailers", last("A: b\r\n".repeat(129)), LARGE],
    ["a long trailer", last(`A: ${"b".repeat(33_000)}`), LARGE],
    ["middling trailers", last(`A: ${"b".repeat(1000)}\r\n`.repeat(40)), LARGE],
  ])("refuses %s", (_, wire, verdict) => {
    expect(decode("chunked", [wire])).toBe(verdict);
    if (wire.length < 500) expect(decode("chunked", wire)).toBe(verdict);
    for (let at = 1; at < wire.length; at += Math.ceil(wire.length / 100)) {
      expect(decode("chunked", [wire.slice(0, at), wire.slice(at)])).toBe(verdict);
    }
  });
});

/** For each piece, whether it gives its buffer. */
function given(framing: Exclude<BodyFraming, 0>, ...arrived: string[]): boolean[] {
  const decoder = decoderFor(framing, HTTP1_BOUNDS);
  const input = new Input();
  const gives: boolean[] = [];
  for (const bytes of arrived) {
    input.push(Buffer.from(bytes, "latin1"));
    while (decoder.next(input) !== undefined) gives.push(decoder.givesBuffer);
  }
  return gives;
}

test("the last piece of what arrived together gives its buffer, and no piece before it", () => {
  const long = "x".repeat(2000);
  expect(given(4000, long, long)).toEqual([true, true]);
  expect(given(2000, long + NEXT)).toEqual([false]);
  const chunk = `7d0\r\n${long}\r\n`;
  expect(given("chunked", `${chunk}7d0\r\n${long}`, `\r\n${chunk}`)).toEqual([false, true, false]);
});
