import { describe, expect, spyOn, test } from "bun:test";
import { HeaderList } from "../../../http/headers.ts";
import { renderHead, renderSwitch, renderTrailers } from "./response-head.ts";
import type { ResponseHead } from "./response-head.ts";

const NOTHING = {
  contentLength: undefined,
  chunked: false,
  connection: undefined,
  upgrade: undefined,
};

function render(
  lines: readonly (readonly [string, string])[],
  change: Partial<ResponseHead> = {},
): string {
  return String(
    renderHead({ ...NOTHING, status: 200, headers: HeaderList.from(lines), ...change }),
  );
}

describe("renderHead()", () => {
  test("keeps order, spelling and repeats, with the given Date", () => {
    const head = render([
      ["x-B", "1"],
      ["date", "today"],
      ["Set-Cookie", "a"],
      ["set-cookie", "b\xe9"],
    ]);
    expect(head).toBe(
      "HTTP/1.1 200 OK\r\nx-B: 1\r\ndate: today\r\nSet-Cookie: a\r\nset-cookie: b\xe9\r\n\r\n",
    );
  });

  test("adds a Date of now", () => {
    const date = /^Date: (.+ GMT)\r$/m.exec(render([]))?.[1] ?? "";
    expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(5000);
  });

  test("adds another Date each second", () => {
    const now = spyOn(Date, "now");
    const seconds = [1000, 1999, 2000, 1_700_000_000_000].map((ms) => {
      now.mockReturnValue(ms);
      return Date.parse(/^Date: (.+ GMT)\r$/m.exec(render([]))?.[1] ?? "");
    });
    now.mockRestore();
    expect(seconds).toEqual([1000, 1000, 2000, 1_700_000_000_000]);
  });

  test("adds a Date when a filter has taken off the one that came", () => {
    const headers = HeaderList.from([["Date", "then"]]);
    headers.remove("date");
    const head = String(renderHead({ ...NOTHING, status: 200, headers }));
    expect(head).toMatch(/\r\nDate: .+ GMT\r\n/);
  });

  test.each([
    [404, "HTTP/1.1 404 Not Found\r\n"],
    [299, "HTTP/1.1 299 \r\n"],
    [599, "HTTP/1.1 599 \r\n"],
  ])("writes the status line of %d", (status, line) => {
    expect(render([], { status })).toStartWith(line);
  });

  test("frames by what it is told, never by the headers", () => {
    const lines = [
      ["Content-Length", "7"],
      ["Transfer-Encoding", "gzip, chunked"],
      ["Connection", "x"],
      ["Keep-Alive", "y"],
      ["Upgrade", "z"],
      ["Date", "d"],
    ] as const;
    const of = (change: Partial<ResponseHead>): string =>
      render(lines, change).split("\r\n").slice(1).join("|");
    expect(of({})).toBe("Date: d||");
    expect(of({ contentLength: "own" })).toBe("Content-Length: 7|Date: d||");
    expect(of({ contentLength: 0, connection: "close" })).toBe(
      "Date: d|Content-Length: 0|Connection: close||",
    );
    expect(of({ chunked: true })).toBe("Date: d|Transfer-Encoding: chunked||");
  });
});

describe("renderHead() errors", () => {
  test.each([
    ["A", "b\r\nC: d"],
    ["A", "b\nc"],
    ["A", "b\rc"],
    ["A", "b\0c"],
    ["A", "\u010a"],
    ["A", "\u{1f600}"],
    ["A\r\nB", "c"],
    ["A:B", "c"],
    ["", "c"],
    ["A B", "c"],
    ["Ä", "c"],
  ])("refuses to send %j: %j", (name, value) => {
    expect(() => render([[name, value]])).toThrow("as one header line");
    expect(() => renderTrailers(HeaderList.from([[name, value]]))).toThrow("as one header line");
    expect(() => renderSwitch(HeaderList.from([[name, value]]), "x")).toThrow("as one header line");
  });

  test.each([0, 99, 1000, 200.5, Number.NaN])("refuses status %d", (status) => {
    expect(() => render([], { status })).toThrow("Cannot send status");
  });
});

describe("renderSwitch()", () => {
  test("names the protocol", () => {
    const headers = HeaderList.from([
      ["Sec-WebSocket-Accept", "x"],
      ["Upgrade", "other"],
      ["Date", "d"],
    ]);
    expect(String(renderSwitch(headers, "websocket"))).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nDate: d\r\n" +
        "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
  });
});

describe("renderTrailers()", () => {
  test("leaves out what frames a message", () => {
    const trailers = HeaderList.from([
      ["X", "1"],
      ["Content-Length", "5"],
      ["transfer-encoding", "chunked"],
      ["X", "2"],
    ]);
    expect(renderTrailers(trailers)).toBe("X: 1\r\nX: 2\r\n");
  });
});
