import { casesOf } from "../case.ts";
import { BUF, handling, PAGE, refusedAtStart, trapping } from "../handlers.ts";
import { type Call, end, MAX } from "../probe.ts";
import { Prototype } from "../prototype.ts";

const read = new Prototype("read_body", { kind: [0, "Request"], buffer: [[BUF, 64]] });
const RUN = {
  request: { method: "POST", body: ["abc", "defg"] },
  upstream: { body: ["1234", "567"] },
};
const ENABLE: Call = ["enable_features", 3];
/** The whole body is there, and this is its end. */
const all = (bytes: number): bigint => (1n << 32n) | BigInt(bytes);
const at = (ptr: number): readonly [number, number] => [ptr, 64];

export const conformance = casesOf("read_body", [
  {
    name: "read_body() gives a body in one piece, and then only its end",
    guest: handling([read.call(), read.call(), read.call()]),
    run: RUN,
    lines: [
      read.line(`${all(7)} -> bytes="abcdefg"`),
      read.line(`${all(0)} -> bytes=""`),
      read.line(`${all(0)} -> bytes=""`),
    ],
  },
  {
    name: "read_body() fills the buffer, call by call, and tells of the end with the last bytes",
    guest: handling([3, 3, 3].map((limit) => read.call({ buffer: [BUF, limit] }))),
    run: RUN,
    lines: [
      read.line('3 -> bytes="abc"'),
      read.line('3 -> bytes="def"'),
      read.line(`${all(1)} -> bytes="g"`),
    ],
  },
  {
    name: "read_body() tells of the end when the buffer holds exactly the rest",
    guest: handling([read.call({ buffer: [end(7), 7] })]),
    run: RUN,
    lines: [read.line(`${all(7)} -> bytes="abcdefg"`)],
  },
  {
    name: "read_body() gives the end of a request without a body",
    guest: handling([read.call()]),
    lines: [read.line(`${all(0)} -> bytes=""`)],
  },
  {
    name: "read_body() in handle_request has no response to read",
    guest: handling([read.call({ kind: 1 })]),
    run: RUN,
    lines: [read.line(`${all(0)} -> bytes=""`, { kind: "Response" })],
  },
  {
    name: "read_body() in handle_response gives both bodies with their features, from the start",
    guest: handling(
      [ENABLE, read.call({ buffer: [BUF, 2] })],
      [read.call(), read.call({ kind: 1 }), read.call({ kind: 1 })],
    ),
    run: RUN,
    lines: [
      'read_body(kind=Request) = 2 -> bytes="ab"',
      'read_body(kind=Request) = 4294967303 -> bytes="abcdefg"',
      'read_body(kind=Response) = 4294967303 -> bytes="1234567"',
      'read_body(kind=Response) = 4294967296 -> bytes=""',
    ],
  },
  {
    name: "read_body() leaves the body as it is, read or not",
    guest: handling([ENABLE, read.call({ buffer: [BUF, 2] })], [read.call({ kind: 1 })]),
    run: RUN,
    shows: ["client"],
    lines: [
      'read_body(kind=Request) = 2 -> bytes="ab"',
      'read_body(kind=Response) = 4294967303 -> bytes="1234567"',
      "=> client head 200 {}",
      '=> client body "1234567"',
      "=> client end",
    ],
  },
  trapping({
    name: "read_body() traps on a buffer of 0 bytes",
    call: read.call({ buffer: [BUF, 0] }),
    line: read.line(""),
    why: "Cannot read a body into a buffer of 0 bytes",
  }),
  ...[2, -1, 0x7fff_ffff].map((kind) =>
    trapping({
      name: `read_body() traps on kind ${kind}, which there is not`,
      call: read.call({ kind }),
      line: read.line("", { kind: kind === 2 ? "RequestTrailers" : String(kind) }),
      why: `Cannot use a body of kind ${kind}: there are 0 and 1`,
    }),
  ),
  ...[0, 1].map((kind) =>
    trapping({
      name: `read_body() of kind ${kind} traps in handle_response without its feature`,
      call: read.call({ kind }),
      line: read.line("", { kind: ["Request", "Response"][kind] ?? "" }),
      why:
        `Cannot read the ${["request", "response"][kind]} body in handle_response without the ` +
        `feature buffer_${["request", "response"][kind]}`,
      within: "handle_response",
    }),
  ),
  ...[at(PAGE), at(PAGE - 63), [BUF, MAX] as const, at(MAX), at(0x8000_0000)].map((buffer) =>
    trapping({
      name: `read_body() traps on a buffer of ${buffer[1]} bytes at ${buffer[0]}, body or not`,
      call: read.call({ buffer }),
      line: read.line(""),
      why: `Cannot use ${buffer[1]} bytes at ${buffer[0]}: they lie outside of the memory`,
    }),
  ),
  refusedAtStart(read),
]);
