import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { SeededRandom } from "../../base/random.testing.ts";
import { hasNoBody } from "../../http/framing.ts";
import { LengthDecoder, type BodyDecoder } from "./body-decoder.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import { ResponseHeadParser } from "./response-head.ts";

/**
 * Random responses, most of them broken, in random pieces: however the bytes are cut, the outcome
 * is the same, and it is a result or an UPSTREAM_BAD_RESPONSE, never another error.
 */
const CASES = 20_000;

const STATUS_LINES = ["HTTP/1.1 200 OK", "HTTP/1.0 200", "HTTP/1.1 204 x", "HTTP/1.1 404 \xe9"];

const LINES = [
  "Content-Length: 5",
  "Content-Length: 12",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip",
  "Connection: close",
  "Set-Cookie: a=\xe9",
  "X-Blank:\t ",
  "X: y",
];

const BODIES = [
  "hello",
  "hello, world",
  "5\r\nhello\r\n0\r\n\r\n",
  "1;a=b\r\nh\r\n4\r\nello\r\n0\r\nT: 1\r\nU: 2\r\n\r\n",
  "3\r\nhel\r\n",
  "",
];

/** What a mutation writes: bytes at which parsers disagree. */
const EVIL = ["\r", "\n", "\r\n", "\0", " ", "\t", ":", ";", "0", "f", "\x7f", "\xff", "HTTP/1.1 "];

function generate(random: SeededRandom): string {
  const lines = random.several(LINES, 3).map((line) => `${line}\r\n`);
  const interim = random.chance(20) ? "HTTP/1.1 100 Continue\r\n\r\n" : "";
  const head = `${interim}${random.pick(STATUS_LINES)}\r\n${lines.join("")}\r\n`;
  let text = head + random.pick(BODIES) + (random.chance(10) ? "surplus" : "");
  for (let n = random.below(4); n > 0; n--) text = mutate(text, random);
  return text;
}

function mutate(text: string, random: SeededRandom): string {
  const at = random.below(text.length + 1);
  const length = random.below(3);
  return text.slice(0, at) + (random.chance(70) ? random.pick(EVIL) : "") + text.slice(at + length);
}

function cut(text: string, random: SeededRandom): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const pieceBytesMax = random.pick([1, 3, 20, 200]);
  for (let at = 0; at < text.length;) {
    const length = 1 + random.below(pieceBytesMax);
    pieces.push(Uint8Array.from(Buffer.from(text.slice(at, at + length), "latin1")));
    at += length;
  }
  return pieces;
}

/** Everything that can be seen of a response, as text; errors by their code. */
function outcome(pieces: readonly Uint8Array[]): string {
  const seen = new Reader();
  try {
    for (const piece of pieces) seen.receive(piece);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.code;
  }
  return seen.describe();
}

/** The order of calls that an exchange makes, without sockets. */
class Reader {
  #parser = new ResponseHeadParser();
  #decoder: BodyDecoder | undefined;
  #complete = false;
  #body = "";
  #surplusBytes = 0;
  readonly #heads: string[] = [];

  receive(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.byteLength && this.#decoder === undefined && !this.#complete) {
      const head = this.#parser.push(piece, at);
      if (head === undefined) return;
      expect(this.#parser.consumed).toBeGreaterThan(0);
      at += this.#parser.consumed;
      this.#heads.push(
        JSON.stringify([head.status, head.version, head.keepAlive, ...head.headers]),
      );
      if (head.status < 200) continue;
      if (hasNoBody("GET", head.status)) {
        this.#complete = true;
        continue;
      }
      const { framing } = head;
      if (!framing.ok) throw new GatewayError(framing.fault, framing.problem);
      if (framing.kind === "chunked") this.#decoder = new ChunkedDecoder();
      else this.#decoder = new LengthDecoder(framing.kind === "length" ? framing.length : Infinity);
    }
    this.#receiveBody(piece, at);
  }

  describe(): string {
    const trailers = this.#complete ? [...(this.#decoder?.trailers ?? [])] : [];
    const parts = [this.#heads, this.#body, this.#complete, trailers, this.#surplusBytes];
    return JSON.stringify(parts);
  }

  #receiveBody(piece: Uint8Array, at: number): void {
    const decoder = this.#decoder;
    let end = at;
    if (decoder !== undefined && !this.#complete) {
      decoder.decode(piece, at);
      const payload = piece.subarray(decoder.payloadStart, decoder.payloadEnd);
      this.#body += Buffer.from(payload).toString("latin1");
      this.#complete = decoder.done;
      end = decoder.consumed;
      expect(end).toBeLessThanOrEqual(piece.byteLength);
      if (!decoder.done) expect(end).toBe(piece.byteLength);
    }
    if (this.#complete) this.#surplusBytes += piece.byteLength - end;
  }
}

describe("parsing a response", () => {
  test("has one outcome however its bytes are cut, and never fails otherwise", () => {
    let complete = 0;
    let refused = 0;
    for (let seed = 1; seed <= CASES; seed++) {
      const random = new SeededRandom(seed);
      const text = generate(random);
      const whole = outcome([Uint8Array.from(Buffer.from(text, "latin1"))]);
      const pieces = outcome(cut(text, random));
      if (pieces !== whole) {
        throw new Error(`Seed ${seed}: ${JSON.stringify(text)} is ${whole}, in pieces ${pieces}`);
      }
      if (whole === "UPSTREAM_BAD_RESPONSE") refused++;
      else if (whole.includes("true")) complete++;
    }
    // The generator is worth something only if it hits both.
    expect(complete).toBeGreaterThan(CASES / 20);
    expect(refused).toBeGreaterThan(CASES / 20);
  });
});
