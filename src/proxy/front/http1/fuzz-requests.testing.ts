/** Requests for fuzzing: whole ones, mutated ones, and ones made up of right and wrong parts. */
import type { SeededRandom } from "../../../base/random.testing.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n";
const hex = (text: string): string => text.length.toString(16);
const chunk = (text: string): string => `${hex(text)}\r\n${text}\r\n`;

/** Bodies hold what looks like requests and framing: read as such they would show. */
export const REQUESTS: readonly string[] = [
  "GET /a?b=c HTTP/1.1\r\nHost: a\r\nUser-Agent: x (y; z)\r\nAccept: */*\r\n\r\n",
  "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  `POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  `PUT /skipped HTTP/1.1\r\nContent-Length: ${SMUGGLED.length}\r\nHost: a\r\n\r\n${SMUGGLED}`,
  "POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
    `${chunk(SMUGGLED)}${chunk("0\r\n\r\n")}0\r\n\r\n`,
  "PUT /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTE: trailers\r\n\r\n" +
    `${chunk(SMUGGLED)}5;e=1\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `POST /expect HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  "HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: x, y\r\n\r\n",
  "\r\nDELETE http://a/abs HTTP/1.1\r\nHost: a\r\nX-Long: " + "v".repeat(200) + "\r\n\r\n",
];

/** What tends to hurt parsers. */
const PIECES = [
  "\r\n",
  "\r",
  "\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "0",
  "1",
  "f",
  "\r\n\r\n",
  "\r\n ",
  "\x7f",
  "\xff",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: b\r\n",
  "Connection: close\r\n",
  "HTTP/1.0",
];

/** Up to three changes: bytes that go, come, turn into others or stand twice. */
export function mutate(text: string, random: SeededRandom): string {
  let mutated = text;
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(mutated.length + 1);
    const length = random.below(3) === 0 ? random.below(20) : 1;
    const piece = random.pick(PIECES);
    switch (random.below(5)) {
      case 0:
        mutated = mutated.slice(0, at) + mutated.slice(at + length);
        break;
      case 1:
        mutated = mutated.slice(0, at) + piece + mutated.slice(at);
        break;
      case 2:
        mutated = mutated.slice(0, at) + piece + mutated.slice(at + piece.length);
        break;
      case 3:
        mutated =
          mutated.slice(0, at) + String.fromCharCode(random.below(256)) + mutated.slice(at + 1);
        break;
      default:
        mutated = mutated.slice(0, at + length) + mutated.slice(at);
    }
  }
  return mutated;
}

/** Parts of requests: mostly right ones, so that most faults stand alone in a request. */
interface Parts {
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}

const LINES: Record<"method" | "blank" | "target" | "version" | "end", Parts> = {
  method: {
    right: ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "BREW", "m-x"],
    wrong: ["", "G(T", "GET:", "G\0", " GET", "\tGET", "\xe9"],
  },
  blank: { right: [" "], wrong: ["", "  ", "\t", "\v", "\r", "\0", "\xa0"] },
  target: {
    right: ["/", "/a?b=%zz", "/\xe9", "//x/../y", "http://h/p", "HTTPS://h", "/a#b", '/"<>\\'],
    wrong: ["", "a", "*", "?a", "http:/h", "/a\tb", "/\0", "/\x7f", "h:80", "1://h", "/a\rb"],
  },
  version: {
    right: ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
    wrong: ["", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/1.10", "HTTP/11", "ICE/1.0"],
  },
  end: { right: ["\r\n"], wrong: ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", "", "\0\r\n"] },
};

const HEADERS: Parts = {
  right: [
    "X-A: b",
    "x_b:\t c \t",
    "E:",
    "L: \xe9\xff",
    "!#$%&'*+-.^_`|~: t",
    "Connection: close",
    "Connection: keep-alive",
    "connection: Upgrade, x",
    "Upgrade: websocket",
    "Upgrade: h2c, x/1",
    "TE: trailers",
    "TE: gzip;q=0.5 , Trailers",
    "Expect: 100-Continue",
    "Content_Length: 7",
  ],
  wrong: [
    "X-A : b",
    ": b",
    "X",
    "X(: b",
    "X\t: b",
    "X: b\0",
    "X: \x1b",
    "X: b\vc",
    "X: a\rb",
    "X: \x7f",
    "\xe9: b",
    "Host: b",
    "Expect: foo",
    "Expect:",
    " X: folded",
  ],
};

const LENGTHS: Parts = {
  right: ["N", " N ", "\tN"],
  wrong: ["0N", "+N", "-N", "0xN", "N.0", "N,N", "N N", "", "\vN", "99999999999999999999", "N\0"],
};

const CODINGS: Parts = {
  right: ["chunked", "CHUNKED", "\tchunked "],
  wrong: [
    "gzip, chunked",
    "chunked, chunked",
    "chunked,",
    "identity",
    "",
    "xchunked",
    "chunked;q=1",
  ],
};

const SIZES: Parts = {
  right: ["N", "00N", "N;e", 'N ;e="v"', "N;"],
  wrong: ["", " N", "N ", "+N", "0xN", "-N", "N;\0", "N;\r", "00000000000000000N", "g", "N_"],
};

const BODIES = ["hello", "", SMUGGLED, "0\r\n\r\n", "\r\n", "x".repeat(40)];

/** One request, right in all parts or wrong in a few. */
export function compose(random: SeededRandom): string {
  const faults = random.pick([0, 0, 3, 10]);
  const part = ({ right, wrong }: Parts): string =>
    random.pick(random.chance(faults) ? wrong : right);
  const end = (): string => part(LINES.end);
  const { method, blank, target, version } = LINES;
  const line = [part(method), part(blank), part(target), part(blank), part(version), end()].join(
    "",
  );
  const headers = random.several([...HEADERS.right, ...HEADERS.right], 4);
  if (random.chance(faults * 2)) headers.push(random.pick(HEADERS.wrong));
  if (!random.chance(2 + faults)) headers.unshift("Host: a");
  const body = random.pick(BODIES);
  const framing = random.below(3);
  const size = framing === 1 ? body.length + (random.chance(faults) ? 1 : 0) : 0;
  if (framing === 1) headers.push(`Content-Length:${part(LENGTHS).replaceAll("N", String(size))}`);
  if (framing === 2) headers.push(`Transfer-Encoding: ${part(CODINGS)}`);
  const lines = headers.map((text) => text + end()).join("");
  const empty = random.chance(5) ? "\r\n".repeat(random.below(6)) : "";
  const sent = framing === 0 ? "" : framing === 1 ? body : chunksOf(body, part, random);
  return `${empty}${line}${lines}${end()}${sent}`;
}

function chunksOf(body: string, part: (parts: Parts) => string, random: SeededRandom): string {
  let wire = "";
  for (let at = 0; at < body.length;) {
    const piece = body.slice(at, at + 1 + random.below(body.length));
    at += piece.length;
    wire += `${part(SIZES).replace("N", hex(piece))}${part(LINES.end)}${piece}${part(LINES.end)}`;
  }
  const trailers = random.several(
    ["X-Sum: 1", "x-t:", "Host: b", "X : y"],
    random.pick([0, 0, 1, 3]),
  );
  const ended = trailers.map((text) => text + part(LINES.end)).join("");
  return `${wire}${part(SIZES).replace("N", "0")}${part(LINES.end)}${ended}${part(LINES.end)}`;
}
