import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";

interface Decoded {
  body: string;
  done: boolean;
  trailers: [string, string][];
  /** Bytes of the input that the body did not need. */
  surplus: string;
}

function decode(wire: string, pieceBytes = wire.length): Decoded {
  const decoder = new ChunkedDecoder();
  let body = "";
  let at = 0;
  while (at < wire.length && !decoder.done) {
    const piece = Uint8Array.from(Buffer.from(wire.slice(at, at + pieceBytes), "latin1"));
    decoder.decode(piece, 0);
    body += Buffer.from(piece.subarray(decoder.payloadStart, decoder.payloadEnd)).toString(
      "latin1",
    );
    at += decoder.consumed;
  }
  return { body, done: decoder.done, trailers: [...decoder.trailers], surplus: wire.slice(at) };
}

function messageOfBad(wire: string, pieceBytes = wire.length): string {
  try {
    decode(wire, pieceBytes);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe("UPSTREAM_BAD_RESPONSE");
    return (error as GatewayError).message;
  }
  return "accepted";
}

describe("ChunkedDecoder decode()", () => {
  test.each([
    { name: "an empty body", wire: "0\r\n\r\n", body: "" },
    { name: "one chunk", wire: "5\r\nhello\r\n0\r\n\r\n", body: "hello" },
    { name: "many chunks", wire: "1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n", body: "abcd" },
    { name: "hex in both cases", wire: "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n" },
    { name: "leading zeros", wire: "0005\r\nhello\r\n000\r\n\r\n", body: "hello" },
    { name: "extensions", wire: '5;a;b="c"\r\nhello\r\n0;x\r\n\r\n', body: "hello" },
    { name: "CR LF as data", wire: "4\r\n\r\n\r\n\r\n0\r\n\r\n", body: "\r\n\r\n" },
  ])("takes $name, cut anywhere", ({ wire, body }) => {
    const whole = decode(wire);
    expect(whole.done).toBe(true);
    expect(whole.body).toBe(body ?? "01234567890123456789a");
    for (let size = 1; size < wire.length; size++) expect(decode(wire, size)).toEqual(whole);
  });

  test("gives the trailers with their spelling, in order", () => {
    const { body, trailers } = decode("1\r\na\r\n0\r\nX-Sum: 1\r\nx-sum:  2 \r\n\r\n", 1);
    expect(body).toBe("a");
    expect(trailers).toEqual([
      ["X-Sum", "1"],
      ["x-sum", "2"],
    ]);
  });

  test("leaves alone what follows the body", () => {
    expect(decode("1\r\na\r\n0\r\n\r\nHTTP/1.1").surplus).toBe("HTTP/1.1");
    expect(decode("0\r\nA: b\r\n\r\n\r\n").surplus).toBe("\r\n");
  });

  test("begins in the middle of a buffer and does not touch what stands before", () => {
    const bytes = Uint8Array.from(Buffer.from("head1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
    const decoder = new ChunkedDecoder();
    decoder.decode(bytes, 4);
    const text = Buffer.from(bytes).toString();
    expect(text.slice(decoder.payloadStart, decoder.payloadEnd)).toBe("ab");
    expect(text.slice(0, 4)).toBe("head");
  });

  test("takes extensions and trailers of exactly the most bytes", () => {
    const extension = "x".repeat(LIMITS.chunkExtensionBytesMax);
    expect(decode(`1;${extension}\r\na\r\n1;${extension}\r\nb\r\n0\r\n\r\n`).body).toBe("ab");
    const trailer = `T: ${"x".repeat(LIMITS.responseTrailerBytesMax - 7)}\r\n\r\n`;
    expect(decode(`0\r\n${trailer}`).trailers.length).toBe(1);
  });
});

describe("ChunkedDecoder decode() errors", () => {
  test.each([
    ["no size", "\r\nhello\r\n", "begins with 0x0d"],
    ["a size that is no hex number", "g\r\n", "begins with 0x67"],
    ["a negative size", "-1\r\n", "begins with 0x2d"],
    ["0x before the size", "0x5\r\nhello\r\n", "followed by 0x78"],
    ["a blank before the size", " 5\r\nhello\r\n", "begins with 0x20"],
    ["a blank after the size", "5 \r\nhello\r\n", "followed by 0x20"],
    ["a size that no number holds", `${"f".repeat(14)}\r\n`, "too many digits"],
    ["a size with many zeros", `${"0".repeat(14)}\r\n`, "too many digits"],
    ["LF after the size", "5\nhello\r\n", "followed by 0x0a"],
    ["CR without LF after the size", "5\rhello\r\n", "instead of CR LF"],
    ["data longer than the size", "3\r\nhello\r\n", "instead of CR LF"],
    ["LF after the data", "5\r\nhello\n0\r\n\r\n", "instead of CR LF"],
    ["CR without LF after the data", "5\r\nhello\r0\r\n\r\n", "instead of CR LF"],
    ["LF in an extension", "5;a\nb\r\nhello\r\n", "extension holds 0x0a"],
    ["NUL in an extension", "5;a\0\r\nhello\r\n", "extension holds 0x00"],
    ["CR in an extension", "5;a\rb\r\nhello\r\n", "instead of CR LF"],
    ["LF after the last chunk's size", "0\n\r\n", "followed by 0x0a"],
    ["LF after a trailer", "0\r\nA: b\n\r\n", "LF without CR"],
    ["a lone LF as the trailers' end", "0\r\n\n", "LF without CR"],
    ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "has no colon"],
    ["a control character in a trailer", "0\r\nA: b\0\r\n\r\n", "control character"],
    ["framing in a trailer", "0\r\nContent-Length: 5\r\n\r\n", 'hold "content-length"'],
  ])("refuses %s, in one piece and byte by byte", (_what, wire, why) => {
    expect(messageOfBad(wire)).toContain(why);
    expect(messageOfBad(wire, 1)).toContain(why);
  });

  test("refuses one byte too many of extensions and of trailers", () => {
    const extension = "x".repeat(LIMITS.chunkExtensionBytesMax + 1);
    expect(messageOfBad(`1;${extension}`)).toContain("more than 1024 bytes of extensions");
    const trailer = `T: ${"x".repeat(LIMITS.responseTrailerBytesMax)}`;
    expect(messageOfBad(`0\r\n${trailer}`)).toContain("exceed 16384 bytes");
  });
});
