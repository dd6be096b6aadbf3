import { describe, expect, test } from "bun:test";
import { headerName, headerNameIn, ROLE } from "./header-name.ts";

describe("headerName()", () => {
  test("is one object for one spelling, and says what the name means", () => {
    expect(headerName("Content-Length")).toBe(headerName("Content-Length"));
    expect(headerName("content-length")).not.toBe(headerName("Content-Length"));
    expect(headerName("content-length").key).toBe("content-length");
    expect(headerName("CONTENT-LENGTH").roles).toBe(ROLE.contentLength);
    expect(headerName("Connection").roles).toBe(ROLE.connection | ROLE.hopByHop);
    expect(headerName("X-Own").roles).toBe(0);
  });

  test("takes a spelling with underscores for what CGI would take it for", () => {
    expect(headerName("X_Forwarded-For").roles).toBe(ROLE.forwarded);
    expect(headerName("x-real_ip").roles).toBe(ROLE.forwarded);
    // These are no names of ours under CGI either: only what is forwarded could be mistaken.
    expect(headerName("Content_Length").roles).toBe(0);
    expect(headerName("transfer_encoding").roles).toBe(0);
  });

  test.each(["", "a b", "a:", "a\r\nb", "\u00e9"])("knows that %j is no name", (text) => {
    expect(headerName(text).isValid).toBe(false);
    expect(headerNameIn(`x${text}y`, 1, 1 + text.length).isValid).toBe(false);
  });
});

describe("headerNameIn()", () => {
  test("finds any name at any place, however many share a slot", () => {
    const names = Array.from({ length: 5000 }, (_, n) => `X-${n.toString(36)}-${n % 7}`);
    for (let round = 0; round < 2; round++) {
      for (const name of names) {
        const text = `ab${name}: 1`;
        expect(headerNameIn(text, 2, 2 + name.length).text).toBe(name);
      }
    }
  });

  test("takes long names as well", () => {
    const name = "x".repeat(500);
    expect(headerNameIn(`${name}:`, 0, 500).text).toBe(name);
  });
});
