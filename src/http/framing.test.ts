import { describe, expect, test } from "bun:test";
import {
  bodyFraming,
  type Framing,
  hasNoBody,
  type HttpVersion,
  isFieldValue,
  requestFraming,
} from "./framing.ts";
import { HeaderList } from "./headers.ts";

const CL = "Content-Length";
const TE = "Transfer-Encoding";
type Lines = [name: string, value: string][];

describe("requestFraming()", () => {
  test.each<[Lines, Framing]>([
    [[], { ok: true, kind: "none" }],
    [[[CL, "0"]], { ok: true, kind: "length", length: 0 }],
    [[[CL, "5"]], { ok: true, kind: "length", length: 5 }],
    [[[CL, "9007199254740991"]], { ok: true, kind: "length", length: Number.MAX_SAFE_INTEGER }],
    [[["transfer-encoding", "Chunked"]], { ok: true, kind: "chunked" }],
  ])("of %j", (lines, framing) => {
    expect(requestFraming(HeaderList.from(lines), "1.1")).toEqual(framing);
  });
});

describe("requestFraming() errors", () => {
  test.each<[Lines, HttpVersion?]>([
    [
      [
        [CL, "5"],
        [TE, "chunked"],
      ],
    ],
    [
      [
        [TE, "chunked"],
        [CL, "5"],
      ],
    ],
    [
      [
        [TE, "chunked"],
        [CL, "0"],
      ],
    ],
    [
      [
        [CL, "5"],
        [CL, "6"],
      ],
    ],
    [
      [
        [CL, "5"],
        [CL, "5"],
      ],
    ],
    [[[CL, "5, 5"]]],
    [[[CL, "5,6"]]],
    [[[CL, ""]]],
    [[[CL, "+5"]]],
    [[[CL, "-1"]]],
    [[[CL, "0x5"]]],
    [[[CL, "05"]]],
    [[[CL, "5.0"]]],
    [[[CL, "5e1"]]],
    [[[CL, "5 "]]],
    [[[CL, "５"]]],
    [[[CL, "9007199254740993"]]],
    [[[CL, "18446744073709551621"]]],
    [[[TE, ""]]],
    [[[TE, "identity"]]],
    [[[TE, "xchunked"]]],
    [[[TE, "gzip, chunked"]]],
    [[[TE, "chunked, identity"]]],
    [[[TE, "chunked, chunked"]]],
    [
      [
        [TE, "chunked"],
        [TE, "chunked"],
      ],
    ],
    [[[TE, "\vchunked"]]],
    [[[TE, "chunked;x=1"]]],
    [[[TE, "chunked"]], "1.0"],
  ])("refuses %j", (lines, version = "1.1") => {
    const framing = requestFraming(HeaderList.from(lines), version);
    expect(framing).toMatchObject({ ok: false, fault: "REQUEST_MALFORMED" });
  });

  test("says what is wrong", () => {
    expect(
      requestFraming(
        HeaderList.from([
          [CL, "5"],
          [CL, "5"],
        ]),
        "1.1",
      ),
    ).toMatchObject({
      problem: 'Content-Length "5, 5" is not one decimal number below 2^53',
    });
  });
});

describe("bodyFraming()", () => {
  test.each<[Lines, Framing]>([
    [[], { ok: true, kind: "until-close" }],
    [[[CL, "5"]], { ok: true, kind: "length", length: 5 }],
    [[[CL, "0"]], { ok: true, kind: "length", length: 0 }],
    [[[TE, "chunked"]], { ok: true, kind: "chunked" }],
  ])("of %j", (lines, framing) => {
    expect(bodyFraming(HeaderList.from(lines), "1.1")).toEqual(framing);
  });
});

describe("hasNoBody()", () => {
  test.each([
    ["GET", 200, false],
    ["GET", 205, false],
    ["HEAD", 200, true],
    ["GET", 304, true],
    ["GET", 204, true],
    ["GET", 101, true],
  ])("of %s %i is %p", (method, status, isBodiless) => {
    expect(hasNoBody(method, status)).toBe(isBodiless);
  });
});

describe("bodyFraming() errors", () => {
  test.each<[Lines]>([
    [
      [
        [CL, "5"],
        [TE, "chunked"],
      ],
    ],
    [[[CL, "5, 6"]]],
    [[[TE, "gzip"]]],
  ])("blames the upstream for %j", (lines) => {
    expect(bodyFraming(HeaderList.from(lines), "1.1")).toMatchObject({
      ok: false,
      fault: "UPSTREAM_BAD_RESPONSE",
    });
  });
});

describe("hasNoBody()", () => {
  test.each([
    ["HEAD", 200, true],
    ["GET", 100, true],
    ["GET", 204, true],
    ["GET", 304, true],
    ["GET", 200, false],
    ["GET", 205, false],
    ["POST", 404, false],
  ])("of %s %i is %p", (method, status, wanted) => {
    expect(hasNoBody(method, status)).toBe(wanted);
  });
});

describe("isFieldValue()", () => {
  test.each(["", "a", "a b\tc", "\xe9", "\xff\x80", '"q"; x=1', "{}"])("takes %j", (value) => {
    expect(isFieldValue(value)).toBe(true);
  });
});

describe("isFieldValue() errors", () => {
  test.each([
    " a",
    "a ",
    "\ta",
    " ",
    "a\r\nB: c",
    "a\n",
    "a\r",
    "a\0",
    "a\x7f",
    "a\x1b",
    "Ā",
    "😀",
  ])("refuses %j", (value) => {
    expect(isFieldValue(value)).toBe(false);
  });
});
