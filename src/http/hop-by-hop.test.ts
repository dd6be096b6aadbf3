import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../base/random.testing.ts";
import { HeaderList } from "./headers.ts";
import { stripHopByHop, upgradeProtocol } from "./hop-by-hop.ts";

describe("stripHopByHop()", () => {
  test("removes every hop-by-hop line, whatever its case, and keeps the others in order", () => {
    const headers = lines(
      "A: 1",
      "CONNECTION: close",
      "Keep-Alive: timeout=5",
      "Set-Cookie: x=1",
      "Proxy-Connection: keep-alive",
      "Proxy-Authenticate: Basic",
      "Proxy-Authentication-Info: x",
      "Proxy-Authorization: Basic eA==",
      "Proxy: http://evil.example",
      "TE: trailers",
      "Trailer: Expires",
      "Transfer-Encoding: chunked",
      "Upgrade: websocket",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
      "Expect: 100-continue",
      "Set-Cookie: y=2",
      "Content-Length: 5",
    );
    stripHopByHop(headers);
    expect(written(headers)).toEqual([
      "A: 1",
      "Set-Cookie: x=1",
      "Set-Cookie: y=2",
      "Content-Length: 5",
    ]);
  });

  test("removes what Connection lists, over several lines, with blanks and empty members", () => {
    const headers = lines(
      "X-A: 1",
      "Connection: x-a ,, X-B",
      "X-C: 3",
      "connection:\tX-C\t,close,",
      "X-B: 2",
      "X-A: again",
      "X-D: 4",
    );
    stripHopByHop(headers);
    expect(written(headers)).toEqual(["X-D: 4"]);
    for (const usual of ["keep-alive", "close"]) {
      const two = lines(`Connection: ${usual}`, "X-A: 1", "Connection: X-A", "X-D: 4");
      stripHopByHop(two);
      expect(written(two)).toEqual(["X-D: 4"]);
    }
  });

  test.each([
    "Host",
    "Content-Length",
    "Content-Type",
    "Authorization",
    "Cookie",
    "Set-Cookie",
    "Cache-Control",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-Id",
    "Via",
  ])("keeps %s although Connection lists it", (name) => {
    const headers = lines(`Connection: close, ${name}`, `${name}: 1`);
    stripHopByHop(headers);
    expect(written(headers)).toEqual([`${name}: 1`]);
  });

  test.each([
    [["TE: trailers", "Connection: TE"], ["TE: trailers"]],
    [["te: gzip;q=0.5, Trailers"], ["TE: trailers"]],
    [["TE: gzip"], []],
    [["TE: trailersx"], []],
    [["A: 1"], ["A: 1"]],
  ])("keeps of %j only what asks for trailers when they can be relayed", (before, after) => {
    const headers = lines(...before);
    stripHopByHop(headers, { keepTrailersToken: true });
    expect(written(headers)).toEqual(after);
  });

  test("leaves a list without such lines as it is", () => {
    const headers = lines("Host: a", "Accept: */*");
    const { version } = headers;
    stripHopByHop(headers);
    expect(headers.version).toBe(version);
  });

  test("agrees with a plain filter over generated heads", () => {
    const names = ["A", "B", "TE", "Connection", "upgrade", "Keep-Alive", "Host", "Content-Length"];
    const random = new SeededRandom(11);
    for (let run = 0; run < 5_000; run++) {
      const headers = HeaderList.from(
        random.several(names, 12).map((name) => [name, random.several(names, 3).join(", ")]),
      );
      const listed = headers.getAll("connection").join(", ").toLowerCase().split(", ");
      const gone = new Set(["te", "connection", "upgrade", "keep-alive"]);
      for (const key of ["a", "b"]) if (listed.includes(key)) gone.add(key);
      const wanted = [...headers].filter(([name]) => !gone.has(name.toLowerCase()));
      stripHopByHop(headers);
      expect([...headers]).toEqual(wanted);
    }
  });
});

describe("stripHopByHop() errors", () => {
  test("takes a Connection line of thousands of tokens in its stride", () => {
    const tokens = Array.from({ length: 8_000 }, (_, n) => `x${n}`);
    const headers = lines(`Connection: ${tokens.join(",")}`, "X7999: 1", "Accept: */*");
    stripHopByHop(headers);
    expect(written(headers)).toEqual(["Accept: */*"]);
  });
});

describe("upgradeProtocol()", () => {
  test.each([
    [["Upgrade: websocket", "Connection: Upgrade"], "websocket"],
    [["Upgrade: WebSocket", "Connection: keep-alive, upgrade"], "websocket"],
    [["Upgrade: TLS/1.3", "Connection: upgrade"], "tls/1.3"],
    [["Upgrade: websocket"], undefined],
    [["Upgrade: websocket", "Connection: close"], undefined],
    [["Connection: upgrade"], undefined],
    [["Upgrade: websocket, h2c", "Connection: upgrade"], undefined],
    [["Upgrade: websocket", "Upgrade: h2c", "Connection: upgrade"], undefined],
    [["Upgrade: ", "Connection: upgrade"], undefined],
  ])("of %j is %j", (head, protocol) => {
    expect(upgradeProtocol(lines(...head))).toBe(protocol as string);
  });
});

function lines(...head: string[]): HeaderList {
  return HeaderList.from(
    head.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

function written(headers: HeaderList): string[] {
  return [...headers].map(([name, value]) => `${name}: ${value}`);
}
