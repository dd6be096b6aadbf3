import { describe, expect, test } from "bun:test";
import { grpcUpstreamOf } from "./grpc-service.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** A field that holds bytes. */
function field(number: number, content: string): string {
  return String.fromCharCode(number * 8 + 2, content.length) + content;
}

describe("grpcUpstreamOf()", () => {
  test.each([
    { name: "a plain name", given: "auth", upstream: "auth" },
    { name: "an address", given: "auth.example:50051", upstream: "auth.example:50051" },
    { name: "nothing", given: "", upstream: "" },
    { name: "a cluster", given: field(1, field(1, "auth")), upstream: "auth" },
    {
      name: "a cluster with an authority, a timeout and metadata",
      given:
        field(3, "\x08\x05") + field(1, field(1, "auth") + field(2, "a")) + field(5, "\x0a\x00"),
      upstream: "auth",
    },
    { name: "a target", given: field(2, field(1, "a.b:1")), upstream: "a.b:1" },
    { name: "a target of dns", given: field(2, field(1, "dns:///a.b:1")), upstream: "a.b:1" },
    { name: "a target of short dns", given: field(2, field(1, "dns:a.b:1")), upstream: "a.b:1" },
    {
      name: "the last of several",
      given: field(1, field(1, "a") + field(1, "b")) + field(1, field(1, "c")),
      upstream: "c",
    },
    {
      name: "values of other types between them",
      given: `\x08\x96\x01\x25abcd\x21abcdefgh${field(1, `\x18\x01${field(1, "auth")}`)}`,
      upstream: "auth",
    },
  ])("reads $name", ({ given, upstream }) => {
    expect(grpcUpstreamOf(bytes(given))).toBe(upstream);
  });
});

describe("grpcUpstreamOf() errors", () => {
  test.each([
    { name: "a length beyond the end", given: "\x0a\x06\x0a\x04aut" },
    { name: "a huge length", given: "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f" },
    { name: "a varint without an end", given: `\x0a${"\xff".repeat(11)}` },
    { name: "no field of those", given: field(3, "\x08\x05") },
    { name: "an empty cluster", given: field(1, field(1, "")) },
    { name: "a cluster without a name", given: field(1, "") },
    { name: "a group", given: "\x0b\x0c" },
    { name: "field 0", given: "\x02\x01a" },
    { name: "an unknown wire type", given: "\x0e" },
    { name: "a cut 64-bit value", given: "\x09abc" },
  ])("refuses $name", ({ given }) => {
    expect(grpcUpstreamOf(bytes(given))).toBeUndefined();
  });

  test("survives every byte anywhere in a message", () => {
    const message = Buffer.from(field(1, field(1, "auth") + field(2, "x")), "latin1");
    for (let at = 0; at < message.byteLength; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Buffer.from(message);
        changed[at] = byte;
        const upstream = grpcUpstreamOf(changed);
        expect(upstream === undefined || upstream.length <= message.byteLength).toBe(true);
      }
    }
  });
});
