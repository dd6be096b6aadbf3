import { describe, expect, test } from "bun:test";
import { FrameDecoder, FrameFault, type Received } from "./frame-decoder.ts";

const BYTES_MAX = 70_000;

/** Decodes the pieces one after the other; bytes as text, so that results compare by value. */
function decode(pieces: readonly Uint8Array[], bytesMax = BYTES_MAX): string[] {
  const decoder = new FrameDecoder(bytesMax);
  const got: string[] = [];
  for (const piece of pieces) {
    decoder.push(piece);
    for (let next = decoder.next(); next !== undefined; next = decoder.next()) got.push(show(next));
  }
  return got;
}

function show(received: Received): string {
  if (received.kind === "text") return `text ${received.text}`;
  if (received.kind === "close") return `close ${received.code} ${received.reason}`;
  const { bytes } = received;
  const shown = bytes.length > 20 ? `${bytes.length} bytes` : Buffer.from(bytes).toString("latin1");
  return `${received.kind} ${shown}`;
}

function wire(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

function fault(hex: string, bytesMax = BYTES_MAX): FrameFault | undefined {
  try {
    decode([wire(hex)], bytesMax);
  } catch (error) {
    if (error instanceof FrameFault) return error;
    throw error;
  }
  return undefined;
}

/** Frames typed by hand; the first ones are the examples of RFC 6455 section 5.7. */
const GOOD = [
  { name: "a text", frames: "81 05 48656c6c6f", got: ["text Hello"] },
  { name: "a text in two fragments", frames: "01 03 48656c  80 02 6c6f", got: ["text Hello"] },
  { name: "a ping", frames: "89 05 48656c6c6f", got: ["ping Hello"] },
  { name: "256 bytes", frames: `82 7e 0100 ${"00".repeat(256)}`, got: ["binary 256 bytes"] },
  {
    name: "64 KiB",
    frames: `82 7f 0000000000010000 ${"00".repeat(65_536)}`,
    got: ["binary 65536 bytes"],
  },
  { name: "a pong", frames: "8a 00", got: ["pong "] },
  { name: "an empty text", frames: "81 00", got: ["text "] },
  { name: "an empty binary", frames: "82 00", got: ["binary "] },
  { name: "two frames in one chunk", frames: "81 01 61  82 01 62", got: ["text a", "binary b"] },
  {
    name: "control frames between fragments, in the order in which they end",
    frames: "01 01 61  89 01 70  00 01 62  8a 01 71  80 01 63  81 01 64",
    got: ["ping p", "pong q", "text abc", "text d"],
  },
  { name: "empty fragments", frames: "01 00  00 00  80 00", got: ["text "] },
  { name: "a fragment after empty ones", frames: "02 00  00 00  80 01 61", got: ["binary a"] },
  { name: "a character cut by fragments", frames: "01 01 c3  80 01 a4", got: ["text ä"] },
  { name: "a byte order mark", frames: "81 04 efbbbf61", got: ["text \ufeffa"] },
  { name: "a character beyond 16 bits", frames: "81 04 f0908d88", got: ["text 𐍈"] },
  { name: "a Close without a code", frames: "88 00", got: ["close 1005 "] },
  { name: "a Close with a code", frames: "88 02 03e8", got: ["close 1000 "] },
  { name: "a Close with a reason", frames: "88 05 0fa1 627965", got: ["close 4001 bye"] },
];

describe("FrameDecoder", () => {
  test.each(GOOD)("reads $name", ({ frames, got }) => {
    expect(decode([wire(frames)])).toEqual(got);
  });

  test.each(GOOD.filter(({ frames }) => frames.length < 100))(
    "reads $name cut at every byte",
    ({ frames, got }) => {
      const bytes = wire(frames);
      for (let cut = 0; cut <= bytes.length; cut++) {
        expect(decode([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(got);
      }
      expect(decode([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(got);
    },
  );

  test("reads everything in one stream, cut at random", () => {
    const stream = wire(GOOD.map(({ frames }) => frames).join(""));
    const got = GOOD.flatMap((row) => row.got);
    for (let round = 0; round < 300; round++) {
      const pieces: Uint8Array[] = [];
      const sizeMax = round % 3 === 0 ? 3 : 40_000;
      for (let at = 0; at < stream.length;) {
        const size = Math.ceil(Math.random() * sizeMax);
        pieces.push(stream.slice(at, at + size));
        at += size;
      }
      expect(decode(pieces)).toEqual(got);
    }
  });

  test("takes a message of exactly the limit, whole or in fragments", () => {
    expect(decode([wire("82 03 000000")], 3)).toEqual(["binary \0\0\0"]);
    expect(decode([wire("02 02 0000 80 01 00")], 3)).toEqual(["binary \0\0\0"]);
  });

  test("counts each message anew", () => {
    const bytes = wire("02 02 6161 80 01 62".repeat(5));
    expect(decode([bytes], 3)).toEqual(Array.from({ length: 5 }, () => "binary aab"));
  });

  test("does not copy a message that lies in one frame and one chunk", () => {
    const decoder = new FrameDecoder(BYTES_MAX);
    const chunk = wire("82 03 010203");
    decoder.push(chunk);
    const received = decoder.next();
    expect(received?.kind === "binary" && received.bytes.buffer === chunk.buffer).toBe(true);
  });

  test("keeps gathered bytes apart from later ones", () => {
    const decoder = new FrameDecoder(BYTES_MAX);
    decoder.push(wire("02 01 61 80 01 62"));
    const first = decoder.next();
    decoder.push(wire("02 01 63 80 01 64"));
    decoder.next();
    expect(first && show(first)).toBe("binary ab");
  });
});

describe("FrameDecoder errors", () => {
  test.each([
    { name: "the reserved bit 1", frames: "c1 00" },
    { name: "the reserved bit 2", frames: "a1 00" },
    { name: "the reserved bit 3", frames: "91 00" },
    { name: "opcode 3", frames: "83 00" },
    { name: "opcode 7", frames: "87 00" },
    { name: "opcode 11", frames: "8b 00" },
    { name: "opcode 15", frames: "8f 00" },
    { name: "a masked frame", frames: "81 80 00000000" },
    { name: "a fragmented ping", frames: "09 00" },
    { name: "a fragmented Close", frames: "08 00" },
    { name: "a ping of 126 bytes", frames: "89 7e 007e" },
    { name: "a continuation of nothing", frames: "80 00" },
    { name: "a continuation after the end", frames: "01 00 80 00 80 00" },
    { name: "a text inside a text", frames: "01 01 61 81 01 62" },
    { name: "a binary inside a text", frames: "01 01 61 82 01 62" },
    { name: "125 as a length of two bytes", frames: "82 7e 007d" },
    { name: "65535 as a length of eight bytes", frames: "82 7f 000000000000ffff" },
    { name: "a negative length", frames: "82 7f 8000000000000000" },
    { name: "a Close of one byte", frames: "88 01 03" },
    { name: "a Close with code 999", frames: "88 02 03e7" },
    { name: "a Close with code 1005", frames: "88 02 03ed" },
    { name: "a Close with code 1006", frames: "88 02 03ee" },
    { name: "a Close with code 1015", frames: "88 02 03f7" },
    { name: "a Close with code 2999", frames: "88 02 0bb7" },
    { name: "a Close with code 5000", frames: "88 02 1388" },
  ])("refuses $name with 1002", ({ frames }) => {
    expect(fault(frames)?.closeCode).toBe(1002);
  });

  test.each([
    { name: "a lone continuation byte", frames: "81 01 80" },
    { name: "an overlong slash", frames: "81 02 c0af" },
    { name: "a surrogate", frames: "81 03 eda080" },
    { name: "a code point above U+10FFFF", frames: "81 04 f4908080" },
    { name: "a character that stops short", frames: "81 02 e282" },
    { name: "a fragmented text that stops short", frames: "01 01 e2 80 01 82" },
    { name: "a reason that is no text", frames: "88 03 03e8 ff" },
  ])("refuses $name with 1007", ({ frames }) => {
    expect(fault(frames)?.closeCode).toBe(1007);
  });

  test.each([
    { name: "one byte too many", frames: "82 04 00000000" },
    { name: "one byte too many over fragments", frames: "02 02 0000 00 01 00 80 01 00" },
    { name: "4 GiB, before any of it has come", frames: "82 7f 0000000100000000" },
    { name: "2^62 bytes", frames: "82 7f 4000000000000000" },
  ])("refuses $name with 1009", ({ frames }) => {
    expect(fault(frames, 3)?.closeCode).toBe(1009);
  });

  test("takes no memory for a length that is only announced", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 200 }, () => {
      const decoder = new FrameDecoder(16 * 1024 * 1024);
      decoder.push(wire("82 7f 0000000001000000 00"));
      expect(decoder.next()).toBeUndefined();
      return decoder;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    expect(decoders).toHaveLength(200);
  });

  test("throws only FrameFaults on garbage", () => {
    for (let round = 0; round < 2000; round++) {
      const garbage = crypto.getRandomValues(new Uint8Array(40));
      try {
        decode([garbage.slice(0, 20), garbage.slice(20)]);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameFault);
      }
    }
  });
});
