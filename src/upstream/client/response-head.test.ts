import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { SeededRandom } from "../../base/random.testing.ts";
import { ROLE } from "../../http/header-name.ts";
import { ResponseHeadParser, type ResponseHead } from "./response-head.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

function parse(text: string): ResponseHead | undefined {
  return new ResponseHeadParser().push(bytesOf(text), 0);
}

/** Pushes pieces of `size` bytes; answers the head and where it ended. */
function parseInPieces(
  text: string,
  size: number,
): { head: ResponseHead; end: number } | undefined {
  const parser = new ResponseHeadParser();
  for (let at = 0; at < text.length; at += size) {
    const head = parser.push(bytesOf(text.slice(at, at + size)), 0);
    if (head !== undefined) return { head, end: at + parser.consumed };
  }
  return undefined;
}

function messageOfBad(text: string, pieceBytes = text.length): string {
  try {
    parseInPieces(text, pieceBytes);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe("UPSTREAM_BAD_RESPONSE");
    return (error as GatewayError).message;
  }
  return "accepted";
}

const FULL = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Empty:\r\nset-Cookie: \t x=1 \t\r\n\r\n";

const VALUE = "value".repeat(25);
const LINES = [
  `Server: ${VALUE}\r\nDate: Thu, 26 Nov 2026 21:13:50 GMT\r\nContent-Length: 12\r\n`,
  `Server: ${VALUE}\r\nDate: Thu, 26 Nov 2026 21:13:51 GMT\r\nContent-Length: 21\r\n`,
  `Set-Cookie: ${VALUE}\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n`,
  `Connection: keep-alive\r\nX: ${VALUE}\r\n`,
  `Connection: close\r\nX: ${VALUE}\r\n`,
];

/** One of a few heads, now and then with another char somewhere. */
function nearlyAsBefore(random: SeededRandom): string {
  const status = random.pick(["1.1 200 OK", "1.1 404 OK", "1.0 200 OK", "1.1 103 OK"]);
  const at = random.below(VALUE.length);
  const other = `${VALUE.slice(0, at)}!${VALUE.slice(at + 1)}`;
  const lines = random.pick(LINES).replace(VALUE, random.chance(40) ? other : VALUE);
  return `HTTP/${status}\r\n${lines}\r\n`;
}

function shown(head: ResponseHead | undefined): unknown {
  return { ...head, headers: [...(head?.headers ?? [])] };
}

describe("ResponseHeadParser push()", () => {
  test("gives status, version and header lines in order, with their spelling", () => {
    const head = parse(FULL);
    expect(head?.status).toBe(200);
    expect(head?.version).toBe("1.1");
    expect([...(head?.headers ?? [])]).toEqual([
      ["Content-Type", "a/b"],
      ["X-Empty", ""],
      ["set-Cookie", "x=1"],
    ]);
  });

  test("gives the same for every way to cut a head in two", () => {
    for (let cut = 1; cut < FULL.length; cut++) {
      const parser = new ResponseHeadParser();
      expect(parser.push(bytesOf(FULL.slice(0, cut)), 0)).toBeUndefined();
      expect(parser.push(bytesOf(FULL.slice(cut)), 0)).toEqual(parse(FULL));
    }
  });

  test("gives the same when bytes come one by one, and says where the head ends", () => {
    const got = parseInPieces(`${FULL}body`, 1);
    expect(got).toEqual({ head: parse(FULL) as ResponseHead, end: FULL.length });
  });

  test("says how many bytes of the chunk belong to the head", () => {
    const parser = new ResponseHeadParser();
    expect(parser.push(bytesOf(`xx${FULL}body`), 2)?.status).toBe(200);
    expect(parser.consumed).toBe(FULL.length);
  });

  test("reads one head after the other from one chunk", () => {
    const parser = new ResponseHeadParser();
    const both = bytesOf(`HTTP/1.1 100 Continue\r\n\r\n${FULL}`);
    expect(parser.push(both, 0)?.status).toBe(100);
    expect(parser.push(both, parser.consumed)?.status).toBe(200);
  });

  test("gives the same for a head that repeats, and reads the one that differs in a byte", () => {
    const parser = new ResponseHeadParser();
    const text = FULL.replace("a/b", "a/repeats");
    for (let times = 0; times < 5; times++) {
      const head = parser.push(bytesOf(`x${text}body`), 1);
      expect(parser.consumed).toBe(text.length);
      expect(head).toEqual(parse(text));
      expect([...(head?.headers ?? [])]).toEqual([...(parse(text)?.headers ?? [])]);
      head?.headers.remove("content-type");
    }
    const other = text.replace("x=1", "x=2");
    expect(parser.push(bytesOf(other), 0)?.headers.get("set-cookie")).toBe("x=2");
    expect(parser.push(bytesOf(text.slice(0, 40)), 0)).toBeUndefined();
    expect(parser.push(bytesOf(text.slice(40)), 0)?.headers.get("set-cookie")).toBe("x=1");
  });

  test("gives for heads that nearly repeat what a parser gives that has seen none", () => {
    const random = new SeededRandom(20_261_126);
    const parsers = Array.from({ length: 3 }, () => new ResponseHeadParser());
    for (let n = 0; n < 3000; n++) {
      const text = nearlyAsBefore(random);
      const chunk = bytesOf(`${text}HTTP/1.1 rest`);
      const parser = random.pick(parsers);
      const got = parser.push(chunk, 0);
      expect([parser.consumed, shown(got)]).toEqual([text.length, shown(parse(text))]);
      // What its exchange does with it must not show in another's, nor what becomes of the bytes.
      chunk.fill(0);
      got?.headers.removeRoles(random.pick([ROLE.hopByHop, ROLE.contentLength, ROLE.date]));
      if (random.chance(50)) got?.headers.append("X-Own", "1");
      if (random.chance(50)) got?.headers.set("server", "other");
    }
  });

  test("keeps every byte of a value as one latin-1 char", () => {
    const value = "\x80\xa0\xe9\xff";
    expect(parse(`HTTP/1.1 200 \xe9\r\nX: ${value}\r\n\r\n`)?.headers.get("x")).toBe(value);
  });

  test.each([
    ["a reason of several words", "HTTP/1.1 404 Not Found"],
    ["an empty reason", "HTTP/1.1 404 "],
    ["no reason and no space", "HTTP/1.1 404"],
    ["HTTP/1.0", "HTTP/1.0 404 x"],
  ])("accepts a status line with %s", (_what, line) => {
    expect(parse(`${line}\r\n\r\n`)?.status).toBe(404);
  });

  test.each([
    { version: "1.1", lines: "", kept: true },
    { version: "1.1", lines: "Connection: close\r\n", kept: false },
    { version: "1.1", lines: "Connection: x , CLOSE\r\n", kept: false },
    { version: "1.1", lines: "Connection: x\r\nConnection: close\r\n", kept: false },
    { version: "1.1", lines: "Connection: closed\r\n", kept: true },
    { version: "1.0", lines: "", kept: false },
    { version: "1.0", lines: "Connection: Keep-Alive\r\n", kept: true },
    { version: "1.0", lines: "Connection: keep-alive, close\r\n", kept: false },
  ])("reads keepAlive $kept from HTTP/$version with '$lines'", ({ version, lines, kept }) => {
    expect(parse(`HTTP/${version} 200 OK\r\n${lines}\r\n`)?.keepAlive).toBe(kept);
  });

  test("takes a head of exactly the most bytes and lines", () => {
    const start = "HTTP/1.1 200 OK\r\nX: ";
    const filler = "a".repeat(LIMITS.responseHeaderBytesMax - start.length - 4);
    expect(parse(`${start}${filler}\r\n\r\n`)?.status).toBe(200);
    const lines = "a: b\r\n".repeat(LIMITS.responseHeadersMax);
    expect(parse(`HTTP/1.1 200 OK\r\n${lines}\r\n`)?.headers.size).toBe(LIMITS.responseHeadersMax);
  });
});

describe("ResponseHeadParser push() errors", () => {
  test.each([
    ["garbage", "SSH-2.0-OpenSSH\r\n", "begins with"],
    ["one byte of garbage", "x", "begins with"],
    ["an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", "begins with"],
    ["lower case", "http/1.1 200 OK\r\n\r\n", "begins with"],
    ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "begins with"],
    ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "status line"],
    ["HTTP/1.10", "HTTP/1.10 200 OK\r\n\r\n", "status line"],
    ["status 42", "HTTP/1.1 42 OK\r\n\r\n", "status line"],
    ["status 099", "HTTP/1.1 099 OK\r\n\r\n", "status line"],
    ["status 600", "HTTP/1.1 600 OK\r\n\r\n", "status line"],
    ["status 2000", "HTTP/1.1 2000 OK\r\n\r\n", "status line"],
    ["two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", "status line"],
    ["a control character in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n", "status line"],
    ["a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "status line"],
    ["a bare LF after the status line", "HTTP/1.1 200 OK\nA: b\r\n\r\n", "LF without CR"],
    ["a bare LF after a header line", "HTTP/1.1 200 OK\r\nA: b\n\r\n", "LF without CR"],
    ["bare LFs as the head's end", "HTTP/1.1 200 OK\r\nA: b\n\n", "LF without CR"],
    ["obs-fold", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "has no colon"],
    ["obs-fold with a colon", "HTTP/1.1 200 OK\r\nA: b\r\n\tc: d\r\n\r\n", "not a header name"],
    ["a folded first line", "HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "not a header name"],
    ["a space before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "not a header name"],
    ["no name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n", "not a header name"],
    ["no colon", "HTTP/1.1 200 OK\r\nabc\r\n\r\n", "has no colon"],
    ["no colon before the next line's", "HTTP/1.1 200 OK\r\nabc\r\nd: e\r\n\r\n", "has no colon"],
    ["a NUL in a value", "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "control character"],
    ["a NUL in a name", "HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n", "not a header name"],
    ["a bare CR in a value", "HTTP/1.1 200 OK\r\nA: b\rc: d\r\n\r\n", "control character"],
    ["a latin-1 letter in a name", "HTTP/1.1 200 OK\r\n\xe9: b\r\n\r\n", "not a header name"],
  ])("refuses %s, in one piece and byte by byte", (_what, text, why) => {
    expect(messageOfBad(text)).toContain(why);
    expect(messageOfBad(text, 1)).not.toBe("accepted");
  });

  test("refuses a head above the most bytes, whether or not its end is in sight", () => {
    const start = "HTTP/1.1 200 OK\r\nX: ";
    const long = start + "a".repeat(LIMITS.responseHeaderBytesMax - start.length - 3);
    for (const text of [
      `${long}\r\n\r\n`,
      `${long}aaaaaa`,
      `${long}${"a".repeat(200_000)}\r\n\r\n`,
    ]) {
      for (const pieceBytes of [text.length, 1000]) {
        expect(messageOfBad(text, pieceBytes)).toContain(`${LIMITS.responseHeaderBytesMax} bytes`);
      }
    }
  });

  test("refuses one line too many", () => {
    const lines = "a: b\r\n".repeat(LIMITS.responseHeadersMax + 1);
    expect(messageOfBad(`HTTP/1.1 200 OK\r\n${lines}\r\n`)).toContain("more than 256 header lines");
  });
});
