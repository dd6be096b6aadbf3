import { casesOf } from "../case.ts";
import { BUF, handling, outsideCases, refusedAtStart, trapping, toUpstream } from "../handlers.ts";
import { type Call, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const write = new Prototype("write_body", {
  kind: [0, "Request"],
  bytes: [text("new"), '"new"'],
});
const RUN = {
  request: { method: "POST", body: ["abc", "defg"] },
  upstream: { headers: [["X-U", "1"] as const], body: ["1234", "567"] },
};
const READ: Call = ["read_body", 0, BUF, 8];
const ENABLE: Call = ["enable_features", 3];
const BYTES_MAX = 16 * 1024 * 1024;

export const conformance = casesOf("write_body", [
  {
    name: "write_body() puts its first bytes in place of the body, and adds the next ones",
    guest: handling([write.call(), write.call({ bytes: text("er") })]),
    run: RUN,
    shows: ["upstream"],
    lines: [
      'write_body(kind=Request, bytes="new")',
      'write_body(kind=Request, bytes="er")',
      toUpstream("POST", "/"),
      '=> upstream body "newer"',
      "=> upstream end",
    ],
  },
  {
    name: "write_body() replaces also a body that has been read, and forgets its length",
    guest: handling([READ, write.call()]),
    run: { request: { method: "POST", headers: [["Content-Length", "7"]], body: ["abcdefg"] } },
    shows: ["upstream"],
    lines: [
      'write_body(kind=Request, bytes="new")',
      toUpstream("POST", "/"),
      '=> upstream body "new"',
      "=> upstream end",
    ],
  },
  {
    name: "write_body() of no bytes empties the body",
    guest: handling([write.call({ bytes: [0, 0] })]),
    run: RUN,
    shows: ["upstream"],
    lines: ['write_body(kind=Request, bytes="")', toUpstream("POST", "/"), "=> upstream end"],
  },
  {
    name: "write_body() gives a body to a request without one",
    guest: handling([write.call()]),
    run: { request: { method: "PUT" } },
    shows: ["upstream"],
    lines: [
      'write_body(kind=Request, bytes="new")',
      toUpstream("PUT", "/"),
      '=> upstream body "new"',
      "=> upstream end",
    ],
  },
  {
    name: "write_body() makes the body of the guest's own response",
    guest: handling([write.call({ kind: 1 }), write.call({ kind: 1 })], [], 0n),
    run: RUN,
    shows: ["client", "upstream"],
    lines: [
      'write_body(kind=Response, bytes="new")',
      'write_body(kind=Response, bytes="new")',
      "=> client head 200 {}",
      '=> client body "newnew"',
      "=> client end",
    ],
  },
  {
    name: "write_body() in handle_request takes the place of the response's body to come",
    guest: handling([write.call({ kind: 1 })]),
    run: RUN,
    shows: ["client"],
    lines: [
      'write_body(kind=Response, bytes="new")',
      '=> client head 200 {X-U: "1"}',
      '=> client body "new"',
      "=> client end",
    ],
  },
  {
    name: "write_body() changes the response's body with buffer_response",
    guest: handling([READ, ENABLE], [write.call({ kind: 1 })]),
    run: RUN,
    shows: ["client"],
    lines: [
      'write_body(kind=Response, bytes="new")',
      '=> client head 200 {X-U: "1"}',
      '=> client body "new"',
      "=> client end",
    ],
  },
  ...[2, -1, 0x7fff_ffff].map((kind) =>
    trapping({
      name: `write_body() traps on kind ${kind}, which there is not`,
      call: write.call({ kind }),
      line: write.line("", { kind: kind === 2 ? "RequestTrailers" : String(kind) }),
      why: `Cannot use a body of kind ${kind}: there are 0 and 1`,
    }),
  ),
  trapping({
    name: "write_body() traps on the request's in handle_response: it has been sent",
    call: write.call(),
    line: write.line(""),
    why: "Cannot change the request body in handle_response: the request has been sent",
    within: "handle_response",
  }),
  trapping({
    name: "write_body() traps on the response's in handle_response without buffer_response",
    call: write.call({ kind: 1 }),
    line: write.line("", { kind: "Response" }),
    why: "Cannot change the response body in handle_response without the feature buffer_response",
    within: "handle_response",
  }),
  trapping({
    name: "write_body() traps on more than 16 MiB",
    call: write.call({ bytes: [0, BYTES_MAX + 1] }),
    line: write.line("", { bytes: shownLong("\\x00", BYTES_MAX + 1) }),
    why: `Cannot write a request body of more than ${BYTES_MAX} bytes`,
    pages: 300,
  }),
  ...outsideCases(write, "bytes"),
  refusedAtStart(write),
]);
