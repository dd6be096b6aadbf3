import { deflateSync } from "node:zlib";
import type { Case } from "../../case.ts";
import { loaded, out, text } from "../../probe.ts";
import { asking, ok } from "./asking.ts";

const MIB = 1024 * 1024;
const PACKED = deflateSync("hello hello hello");
const TOO_MUCH = deflateSync(Buffer.alloc(4 * MIB + 1));
const AS_MUCH = deflateSync(Buffer.alloc(4 * MIB));

/** What is no stream, or not all of one. */
const BROKEN = ["", "hello", PACKED.subarray(0, -1), PACKED.subarray(1)].map((each) =>
  asking("uncompress", each),
);
const all = asking("uncompress", PACKED);
const bomb = asking("uncompress", TOO_MUCH);
const large = asking("uncompress", AS_MUCH);

export const compressionCases: readonly Case[] = [
  {
    name: "compress makes a zlib stream that uncompress undoes",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [
            [
              "proxy_call_foreign_function",
              text("compress"),
              text("hello"),
              out("ptr"),
              out("length"),
            ],
            [
              "proxy_call_foreign_function",
              text("uncompress"),
              loaded("ptr"),
              loaded("length"),
              out("ptr"),
              out("length"),
            ],
            ["proxy_log", 2, loaded("ptr"), loaded("length")],
          ],
        },
      },
    },
    shows: ["proxy_log"],
    lines: [
      asking("compress", "hello").line(ok(deflateSync("hello"))),
      asking("uncompress", deflateSync("hello")).line(ok("hello")),
      'proxy_log(level=info, message="hello") = Ok',
    ],
  },
  {
    name: "compress takes nothing, and gives a stream of nothing",
    guest: { on: { proxy_on_configure: { calls: [asking("compress").call] } } },
    lines: [asking("compress").line(ok(deflateSync("")))],
  },
  {
    name: "uncompress gives what a stream of any compressor holds",
    guest: { on: { proxy_on_configure: { calls: [all.call] } } },
    lines: [all.line(ok("hello hello hello"))],
  },
  {
    name: "uncompress answers SerializationFailure to what is no stream or not all of one",
    guest: { on: { proxy_on_configure: { calls: BROKEN.map(({ call }) => call) } } },
    lines: BROKEN.map(({ line }) => line("SerializationFailure")),
  },
  {
    name: "uncompress answers SerializationFailure to a stream of more than 4 MiB",
    guest: { pages: 200, on: { proxy_on_configure: { calls: [bomb.call, large.call] } } },
    lines: [bomb.line("SerializationFailure"), large.line(ok(Buffer.alloc(4 * MIB)))],
  },
];
