import { describe, expect, test } from "bun:test";
import { HeadText, NO_HEAD } from "../../../http/head-text.ts";
import { Output } from "./output.ts";

/** Takes `room` bytes, then nothing until there is room again. */
class FakeSink {
  room = Infinity;
  text = "";
  writes = 0;

  write(bytes: Uint8Array, byteOffset = 0, byteLength = bytes.length - byteOffset): number {
    this.writes++;
    const taken = Math.min(this.room, byteLength);
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(byteOffset, byteOffset + taken)).toString("latin1");
    return taken;
  }
}

const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => 97 + (at % 26));
const text = (length: number): string => Buffer.from(bytes(length)).toString("latin1");

describe("write()", () => {
  test("sends text, bytes and text in one write, as latin-1", () => {
    const sink = new FakeSink();
    new Output(sink).write(NO_HEAD, "a\xe9|", Uint8Array.of(0, 255), "|\xff");
    expect([sink.text, sink.writes]).toEqual(["a\xe9|\0\xff|\xff", 1]);
  });

  test.each([0, 1, 65_529, 65_530, 65_531, 66_000, 66_553, 66_560, 131_072, 1_000_000])(
    "keeps the order around %d bytes, in few writes",
    (length) => {
      const sink = new FakeSink();
      const output = new Output(sink);
      output.write(NO_HEAD, "<<<", bytes(length), ">>>");
      output.write(NO_HEAD, "", bytes(length), "");
      output.write(NO_HEAD, "", bytes(length), "!");
      output.write(NO_HEAD, "?", bytes(length), "");
      const body = text(length);
      expect(sink.text === `<<<${body}>>>${body}${body}!?${body}`).toBe(true);
      expect(sink.writes).toBeLessThanOrEqual(11);
      expect([output.waitingBytes, output.sentBytes]).toEqual([0, sink.text.length]);
    },
  );

  test("sends bytes as they lie, with a text in front of them where there is room for it", () => {
    for (const { room, inPlace } of [
      { room: 3, inPlace: true },
      { room: 2, inPlace: false },
    ]) {
      const sink = new FakeSink();
      sink.room = 7;
      const buffer = new Uint8Array(room + 20_000).fill(46);
      const body = buffer.subarray(room);
      body.set(bytes(20_000));
      const output = new Output(sink);
      output.write(NO_HEAD, "<\xe9>", body, "", true);
      // What was copied is freed at once.
      const before = inPlace ? Buffer.from(buffer.subarray(0, room)).toString("latin1") : "";
      expect([before, buffer.length]).toEqual(inPlace ? ["<\xe9>", 20_003] : ["", 0]);
      sink.room = Infinity;
      // What has not been sent is not copied either; it is the output's, and nobody else's.
      body[19_999] = 33;
      output.drain();
      const text19 = text(20_000).slice(0, -1);
      expect(sink.text === `<\xe9>${text19}${inPlace ? "!" : text(20_000).at(-1)}`).toBe(true);
      expect(buffer.length).toBe(0);
    }
  });

  test("frees the buffer of what it sends, but none that may have other views", () => {
    for (const size of [4097, 20_000, 65_536, 300_000]) {
      for (const [isOwned, before, after, room] of [
        [true, "", "", Infinity],
        [true, "", "", 5],
        [true, "a", "b", Infinity],
        [true, "a", "b", 5],
        [true, "a", "b".repeat(2000), Infinity],
        [true, "a".repeat(70_000), "b", 5],
        [false, "", "", Infinity],
        [false, "a", "b", Infinity],
        [false, "", "", 5],
      ] as const) {
        const sink = new FakeSink();
        sink.room = room;
        const body = bytes(size);
        const output = new Output(sink);
        output.write(NO_HEAD, before, body, after, isOwned);
        const isSent = room === Infinity;
        if (isSent) expect(body.length).toBe(isOwned ? 0 : size);
        sink.room = Infinity;
        output.drain();
        expect(sink.text === before + text(size) + after).toBe(true);
        expect(body.length).toBe(isOwned ? 0 : size);
      }
    }
  });

  test("sends a long chunk as it lies between its size and its end", () => {
    const sink = new FakeSink();
    const body = new Uint8Array(7 + 300_000).subarray(7);
    body.set(bytes(300_000));
    new Output(sink).write(NO_HEAD, "493e0\r\n", body, "\r\n", true);
    expect(sink.text === `493e0\r\n${text(300_000)}\r\n`).toBe(true);
    expect([sink.writes, body.length]).toEqual([2, 0]);
  });

  test("leaves a buffer as it is while others wait, which may lie in it", () => {
    const sink = new FakeSink();
    const output = new Output(sink);
    const buffer = bytes(20_000);
    sink.room = 5;
    output.write(NO_HEAD, "", buffer.subarray(0, 9_000), "");
    output.write(NO_HEAD, "<<<", buffer.subarray(9_000), "", true);
    sink.room = Infinity;
    output.drain();
    const whole = text(20_000);
    expect(sink.text === `${whole.slice(0, 9_000)}<<<${whole.slice(9_000)}`).toBe(true);
  });

  test("puts a head in front of everything, whatever size it has", () => {
    for (const size of [0, 1, 3000, 65_520, 65_536, 70_000]) {
      const sink = new FakeSink();
      const head = new HeadText("GET / HTTP/1.1", `\r\nA: ${"\xe9".repeat(size)}`, "\r\n\r\n");
      const front = String(head);
      const output = new Output(sink);
      output.write(head, "5\r\n", bytes(5), "\r\n");
      output.write(head, "", undefined, "");
      output.write(head, "", bytes(9000), "", true);
      const body = text(9000);
      expect(sink.text === `${front}5\r\nabcde\r\n${front}${front}${body}`).toBe(true);
    }
  });

  test("sends a text that is longer than its scratch", () => {
    const sink = new FakeSink();
    new Output(sink).write(NO_HEAD, "h".repeat(70_000), bytes(10), "e".repeat(70_000));
    expect(sink.text === "h".repeat(70_000) + text(10) + "e".repeat(70_000)).toBe(true);
  });

  test("keeps what the system does not take, whatever is written meanwhile", () => {
    for (const room of [0, 1, 4, 7, 65_536, 100_000, 200_003]) {
      const sink = new FakeSink();
      sink.room = room;
      const output = new Output(sink);
      const other = new Output(new FakeSink());
      output.write(NO_HEAD, "one|", bytes(200_000), "|end");
      other.write(NO_HEAD, "overwrites the scratch", bytes(60_000), "");
      output.write(NO_HEAD, "two", undefined, "");
      const whole = `one|${text(200_000)}|endtwo`;
      expect(output.waitingBytes).toBe(whole.length - room);
      expect(output.sentBytes).toBe(room);
      while (output.waitingBytes > 0) {
        sink.room = 50_001;
        output.drain();
      }
      expect(sink.text === whole).toBe(true);
    }
  });
});

describe("writeInPlace()", () => {
  const head = new HeadText("HTTP/1.1 200 OK", "\r\nA: \xe9", "\r\n\r\n");
  const front = String(head);

  function written(start: number, end: number, room = Infinity): [FakeSink, Output, Uint8Array] {
    const buffer = bytes(end + 10);
    const sink = new FakeSink();
    sink.room = room;
    const output = new Output(sink);
    output.writeInPlace(head, { buffer, start, end });
    return [sink, output, buffer];
  }

  test.each([
    [0, 1],
    [3, 4099],
    [3, 4100],
    [front.length, 9000],
    [front.length - 1, 9000],
    [300, 70_000],
    [3, 70_000],
  ])("sends the head and the bytes from %d to %d in one write", (start, end) => {
    const [sink, output, buffer] = written(start, end);
    expect(sink.text === front + text(end + 10).slice(start, end)).toBe(true);
    expect(sink.writes).toBe(start < front.length && end > 65_536 ? 2 : 1);
    expect(output.waitingBytes).toBe(0);
    // A short one is copied together with a head that has no room in front of it.
    const isFreed = end - start > 4096 && (start >= front.length || end > 65_536);
    expect(buffer.length).toBe(isFreed ? 0 : end + 10);
  });

  test("keeps what the system does not take, whatever is written meanwhile", () => {
    for (const [start, end] of [
      [3, 900],
      [300, 9000],
    ] as const) {
      for (const room of [0, 5, front.length, front.length + 1, 400]) {
        const [sink, output] = written(start, end, room);
        new Output(new FakeSink()).write(NO_HEAD, "overwrites the scratch", bytes(60_000), "");
        const whole = front + text(end + 10).slice(start, end);
        expect([output.waitingBytes, output.sentBytes]).toEqual([whole.length - room, room]);
        sink.room = Infinity;
        output.drain();
        expect(sink.text === whole).toBe(true);
      }
    }
  });
});

describe("write() errors", () => {
  test("keeps what a connection that is gone does not take", () => {
    const output = new Output({ write: () => -1 });
    output.write(NO_HEAD, "abc", undefined, "");
    output.drain();
    expect([output.waitingBytes, output.sentBytes]).toEqual([3, 0]);
    output.clear();
    expect(output.waitingBytes).toBe(0);
  });
});
