import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../base/errors.ts";
import { SeededRandom } from "../../../base/random.testing.ts";
import { type BodyDecoder, decoderFor } from "./body-decoder.ts";
import { HTTP1_BOUNDS, type Http1Bounds } from "./bounds.ts";
import { compose, mutate, REQUESTS } from "./fuzz-requests.testing.ts";
import { ROLE } from "../../../http/header-name.ts";
import { HeaderList } from "../../../http/headers.ts";
import { Input } from "./input.ts";
import type { RequestHead } from "./request-head.ts";
import { RequestParser } from "./request-parser.ts";
import { type ModelRequest, readByModel } from "./strict-model.testing.ts";

/** Repeats a run: SEED=… bun test request-fuzz. CASES=… for a longer one. */
const SEED = Number(process.env["SEED"] ?? 20_261_126);
const CASES = Number(process.env["CASES"] ?? 500);
/** bytes; each of them is a place to split at, so that time grows with the square. */
const TEXT_BYTES_MAX = 500;

interface Reading {
  readonly requests: readonly ModelRequest[];
  /** "more", or the code of the error. */
  readonly rest: string;
}

/** What a connection reads with. */
class Reader {
  readonly input = new Input();
  readonly parser: RequestParser;

  constructor(bounds: Http1Bounds) {
    this.parser = new RequestParser(bounds);
  }
}

/**
 * Reads requests as a connection does, without one: all errors but GatewayErrors pass through.
 * @param use what is done with the lines of each, when they have been noted
 */
function read(
  pieces: readonly string[],
  bounds: Http1Bounds,
  { input, parser } = new Reader(bounds),
  use: (headers: HeaderList) => void = () => {},
): Reading {
  const requests: ModelRequest[] = [];
  const body: Uint8Array[] = [];
  let head: RequestHead | undefined;
  let decoder: BodyDecoder | undefined;
  /** @returns false when bytes are missing */
  const step = (): boolean => {
    head ??= parser.parse(input);
    if (head === undefined) return false;
    if (head.framing !== 0) decoder ??= decoderFor(head.framing, bounds);
    for (let bytes = decoder?.next(input); bytes !== undefined; bytes = decoder?.next(input)) {
      body.push(bytes);
    }
    if (decoder?.done === false) return false;
    requests.push(asModel(head, body.splice(0), decoder));
    use(head.headers);
    head = decoder = undefined;
    return true;
  };
  try {
    for (const piece of pieces) {
      if (piece !== "") input.push(Buffer.from(piece, "latin1"));
      while (step());
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { requests, rest: error.code };
  }
  return { requests, rest: "more" };
}

function asModel(
  { headers, ...head }: RequestHead,
  body: readonly Uint8Array[],
  decoder: BodyDecoder | undefined,
): ModelRequest {
  return {
    ...head,
    headers: [...headers],
    body: Buffer.concat(body).toString("latin1"),
    trailers: [...(decoder?.trailers ?? [])],
  };
}

/** One to three requests, the last one cut off now and then. */
function textFrom(random: SeededRandom, kind: "composed" | "mutated"): string {
  const one = (): string =>
    kind === "composed" ? compose(random) : mutate(random.pick(REQUESTS), random);
  let text = one();
  for (let more = random.below(3); more > 0 && text.length < TEXT_BYTES_MAX / 2; more--)
    text += one();
  const end = random.below(4) === 0 ? random.below(text.length + 1) : text.length;
  return text.slice(0, Math.min(end, TEXT_BYTES_MAX));
}

/** @throws when a split changes what is read */
function expectSameSplit(text: string, random: SeededRandom, bounds: Http1Bounds): Reading {
  const whole = read([text], bounds);
  const splits: string[][] = [text.split("")];
  for (let at = 1; at < text.length; at++) splits.push([text.slice(0, at), text.slice(at)]);
  for (let n = 0; n < 4; n++) {
    const cuts = Array.from({ length: 2 + random.below(6) }, () => random.below(text.length + 1));
    const ends = [...cuts.toSorted((a, b) => a - b), text.length];
    splits.push(ends.map((end, at) => text.slice(at === 0 ? 0 : ends[at - 1], end)));
  }
  for (const pieces of splits) {
    const split = read(pieces, bounds);
    if (Bun.deepEquals(split, whole)) continue;
    expect({ pieces, ...split }).toEqual({ pieces, ...whole });
  }
  return whole;
}

describe.each(["composed", "mutated"] as const)("%s requests", (kind) => {
  test(`are read in one way, that of a strict model, at every split (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    const seen = { read: 0, more: 0, refused: 0 };
    for (let n = 0; n < CASES; n++) {
      const text = textFrom(random, kind);
      const { requests, rest } = expectSameSplit(text, random, HTTP1_BOUNDS);
      const found = { requests, rest: rest === "more" ? "more" : "refused" };
      expect(found, `case ${n}: ${JSON.stringify(text)}`).toEqual(readByModel(text));
      seen.read += Math.sign(requests.length);
      seen[rest === "more" ? "more" : "refused"]++;
    }
    // Else the faults would be too many, or too few, to say anything.
    expect(Math.min(seen.read, seen.more, seen.refused)).toBeGreaterThan(CASES / 5);
  });

  test(`keep to small bounds in one way at every split (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED + 1);
    const codes = new Map<string, number>();
    for (let n = 0; n < CASES / 2; n++) {
      const bounds = {
        ...HTTP1_BOUNDS,
        requestTargetBytesMax: 1 + random.below(12),
        requestHeaderBytesMax: 8 + random.below(80),
        requestHeadersMax: 1 + random.below(4),
      };
      const { requests, rest } = expectSameSplit(textFrom(random, kind), random, bounds);
      codes.set(rest, (codes.get(rest) ?? 0) + 1);
      for (const { target, headers } of requests) {
        const bytes = headers.reduce(
          (sum, [name, value]) => sum + name.length + value.length + 3,
          0,
        );
        expect(target.length).toBeLessThanOrEqual(bounds.requestTargetBytesMax);
        expect(headers.length).toBeLessThanOrEqual(bounds.requestHeadersMax);
        expect(bytes).toBeLessThanOrEqual(bounds.requestHeaderBytesMax);
      }
    }
    const wanted = [
      "more",
      "REQUEST_MALFORMED",
      "REQUEST_URI_TOO_LONG",
      "REQUEST_HEADERS_TOO_LARGE",
    ];
    for (const code of wanted) expect(codes.get(code) ?? 0, code).toBeGreaterThan(CASES / 50);
  });
});

const VALUE = "value".repeat(25);

/** Lines that clients send again and again, and now and then with another char somewhere. */
const LINES = [
  ["Accept: */*", `User-Agent: ${VALUE}`],
  ["accept: */*", `user-agent: ${VALUE}`],
  [`Cookie: a=${VALUE}`, "Cookie: b", "X-Empty: "],
  ["Connection: keep-alive, X-A", `X-A: ${VALUE}`],
  ["Connection: Upgrade", "Upgrade: websocket", `X-A: ${VALUE}`],
  ["TE: trailers", "Connection: close", `X-Forwarded-For: ${VALUE}`],
  [`X-A:${VALUE}`, "Expect: 100-continue"],
];
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const BODIES = ["", "Content-Length: 5\r\n\r\nhello", `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`];

const OWN_LINES = HeaderList.from([["X-Forwarded-For", "192.0.2.1"]]);

function nearlyAsBefore(random: SeededRandom): string {
  const start = `${random.pick(["GET", "POST"])} ${random.pick(["/", "/a", "/b"])}`;
  const version = random.pick(["1.1", "1.1", "1.0"]);
  const body = random.pick(version === "1.1" ? BODIES : BODIES.slice(0, 2));
  const host = random.pick(["Host: a", "Host: b", "host: a"]);
  const lines = [host, ...random.pick(LINES)].join("\r\n");
  const at = random.below(VALUE.length);
  const other = VALUE.slice(0, at) + random.pick(["!", "?"]) + VALUE.slice(at + 1);
  const sent = random.chance(40) ? lines.replace(VALUE, other) : lines;
  return `${start} HTTP/${version}\r\n${sent}\r\n${body === "" ? "\r\n" : body}`;
}

/** As filters and routes do. */
function change(headers: HeaderList, random: SeededRandom): void {
  const roles = random.pick([ROLE.host, ROLE.hopByHop, ROLE.forwarded]);
  const changes = [
    (): void => headers.removeRoles(roles),
    (): void => headers.append("X-Own", "1"),
    (): void => headers.set("x-a", "2"),
    (): void => void headers.remove("cookie"),
    (): void => headers.appendAll(OWN_LINES.share()),
    (): void => headers.clear(),
  ];
  for (const one of random.several(changes, 3)) one();
}

describe("requests that nearly repeat", () => {
  test(`are each read as if they were the first (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED + 2);
    const readers = Array.from({ length: 3 }, () => new Reader(HTTP1_BOUNDS));
    let before = "";
    for (let n = 0; n < CASES * 8; n++) {
      const isSame = n > 0 && random.chance(60);
      const text = isSame
        ? before
        : nearlyAsBefore(random) + (random.chance(30) ? nearlyAsBefore(random) : "");
      before = text;
      const cut = random.chance(20) ? random.below(text.length) : text.length;
      const pieces = [text.slice(0, cut), text.slice(cut)];
      const reader = random.chance(70) ? readers[0] : random.pick(readers);
      const got = read(pieces, HTTP1_BOUNDS, reader, (headers) => {
        change(headers, random);
      });
      expect(got, `case ${n}: ${JSON.stringify(pieces)}`).toEqual(readByModel(text));
    }
  });
});
