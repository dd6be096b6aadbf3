import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { HeaderList } from "../../http/headers.ts";
import { acceptFor, acceptHandshake, openHandshake } from "./handshake.ts";

const CLIENT_KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function clientHeaders(changes: Record<string, string | undefined> = {}): HeaderList {
  const lines = {
    "X-Before": "1",
    "Sec-WebSocket-Key": CLIENT_KEY,
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  const present = Object.entries(lines).filter(([, value]) => value !== undefined);
  return HeaderList.from(present);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
  return "none";
}

describe("openHandshake()", () => {
  test("replaces the key, drops extensions, keeps the rest", () => {
    const headers = clientHeaders({
      "Sec-WebSocket-Extensions": "permessage-deflate",
      "Sec-WebSocket-Protocol": "chat, superchat",
      Cookie: "a=1",
    });
    const { key, protocols } = openHandshake("GET", headers);
    expect(protocols).toEqual(["chat", "superchat"]);
    expect(key).not.toBe(CLIENT_KEY);
    expect(Buffer.from(key, "base64")).toHaveLength(16);
    expect([...headers]).toEqual([
      ["X-Before", "1"],
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Protocol", "chat, superchat"],
      ["Cookie", "a=1"],
    ]);
  });

  test("draws another key every time", () => {
    const keys = Array.from({ length: 100 }, () => openHandshake("GET", clientHeaders()).key);
    expect(new Set(keys).size).toBe(100);
  });

  test("reads protocols from several lines", () => {
    const headers = clientHeaders({ "Sec-WebSocket-Protocol": "a" });
    headers.append("sec-websocket-protocol", "b ,c");
    expect(openHandshake("GET", headers).protocols).toEqual(["a", "b", "c"]);
  });
});

describe("openHandshake() errors", () => {
  test.each([
    { name: "no key", changes: { "Sec-WebSocket-Key": undefined } },
    { name: "an empty key", changes: { "Sec-WebSocket-Key": "" } },
    { name: "a key of 15 bytes", changes: { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" } },
    { name: "a key with spare bits", changes: { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAB==" } },
    { name: "two keys", changes: { "sec-websocket-key": CLIENT_KEY } },
    { name: "no version", changes: { "Sec-WebSocket-Version": undefined } },
    { name: "version 8", changes: { "Sec-WebSocket-Version": "8" } },
    { name: "a protocol that is no token", changes: { "Sec-WebSocket-Protocol": "a b" } },
  ])("refuses $name", ({ changes }) => {
    expect(codeOf(() => openHandshake("GET", clientHeaders(changes)))).toBe("REQUEST_MALFORMED");
  });

  test("refuses other methods", () => {
    expect(codeOf(() => openHandshake("POST", clientHeaders()))).toBe("REQUEST_MALFORMED");
  });
});

describe("acceptFor()", () => {
  test("computes the example of RFC 6455 section 1.3", () => {
    expect(acceptFor(CLIENT_KEY)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});

const HANDSHAKE = { key: CLIENT_KEY, protocols: ["chat", "superchat"] };
const ACCEPT = ["Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="] as const;

describe("acceptHandshake()", () => {
  test("hands on the node's own lines, repeats and order kept", () => {
    const headers = HeaderList.from([
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ACCEPT,
      ["Set-Cookie", "a=1"],
      ["X-Custom", "v"],
      ["Set-Cookie", "b=2"],
      ["Sec-WebSocket-Protocol", "superchat"],
      ["Date", "now"],
    ]);
    expect(acceptHandshake(HANDSHAKE, headers)).toEqual([
      ["Sec-WebSocket-Protocol", "superchat"],
      ["Set-Cookie", "a=1"],
      ["X-Custom", "v"],
      ["Set-Cookie", "b=2"],
    ]);
    expect(headers.size).toBe(8);
  });

  test("says explicitly that no protocol was chosen", () => {
    expect(acceptHandshake(HANDSHAKE, HeaderList.from([ACCEPT]))).toEqual([
      ["Sec-WebSocket-Protocol", ""],
    ]);
  });
});

describe("acceptHandshake() errors", () => {
  test.each([
    { name: "no Sec-WebSocket-Accept", lines: [] },
    { name: "another one's", lines: [["Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="]] },
    { name: "the right one twice", lines: [ACCEPT, ACCEPT] },
    { name: "an extension", lines: [ACCEPT, ["Sec-WebSocket-Extensions", "permessage-deflate"]] },
    { name: "a protocol that was not offered", lines: [ACCEPT, ["Sec-WebSocket-Protocol", "x"]] },
    { name: "a protocol in other letters", lines: [ACCEPT, ["Sec-WebSocket-Protocol", "CHAT"]] },
    {
      name: "two protocols",
      lines: [ACCEPT, ["Sec-WebSocket-Protocol", "chat"], ["Sec-WebSocket-Protocol", "superchat"]],
    },
  ] as { name: string; lines: [string, string][] }[])("refuses $name", ({ lines }) => {
    const headers = HeaderList.from(lines);
    expect(codeOf(() => acceptHandshake(HANDSHAKE, headers))).toBe("UPSTREAM_BAD_RESPONSE");
  });
});
