import { casesOf } from "../case.ts";
import { BUF, handling, initializing, toUpstream } from "../handlers.ts";
import type { Call } from "../probe.ts";
import { shownFailure } from "../shown.ts";

const READ: Call = ["read_body", 0, BUF, 64];
const READ_RESPONSE: Call = ["read_body", 1, BUF, 64];
const ENABLE_ALL: Call = ["enable_features", 7];
const SHOWS = ["callbacks", "upstream head", "upstream body", "client"];
const BODIES = {
  request: { method: "POST", body: ["ab", "c"] },
  upstream: { body: ["de", "f"] },
};
const NO_BODY = { upstream: { status: 304 } };

/** What handle_request answers. @param context the number that handle_response gets */
function answering(context: bigint, next: bigint) {
  return handling([], [], BigInt.asIntN(64, (context << 32n) | next));
}

export const conformance = casesOf("handle_request and handle_response", [
  {
    name: "come once each, and the second one gets the number that the first has answered",
    guest: answering(7n, 1n),
    run: NO_BODY,
    shows: SHOWS,
    lines: [
      "> handle_request()",
      "< handle_request = 30064771073",
      toUpstream("GET", "/"),
      "> handle_response(context=7, is_error=false)",
      "< handle_response",
      "=> client head 304 {}",
      "=> client end",
    ],
  },
  {
    name: "hand over any number of 32 bits",
    guest: answering(0xffff_ffffn, 1n),
    run: NO_BODY,
    shows: ["handle_response"],
    lines: ["> handle_response(context=4294967295, is_error=false)", "< handle_response"],
  },
  {
    name: "go on with every answer but 0 in the lower half",
    guest: answering(1n, 2n),
    run: NO_BODY,
    shows: ["handle_request", "handle_response"],
    lines: [
      "> handle_request()",
      "< handle_request = 4294967298",
      "> handle_response(context=1, is_error=false)",
      "< handle_response",
    ],
  },
  {
    name: "end with 0: the guest has answered, no upstream is asked and no response handled",
    guest: answering(7n, 0n),
    run: BODIES,
    shows: SHOWS,
    lines: [
      "> handle_request()",
      "< handle_request = 30064771072",
      "=> client head 200 {}",
      "=> client end",
    ],
  },
  {
    name: "come with the heads when the module does not read bodies, which flow",
    guest: handling([]),
    run: BODIES,
    shows: SHOWS,
    lines: [
      "> handle_request()",
      "< handle_request = 1",
      toUpstream("POST", "/"),
      '=> upstream body "ab"',
      '=> upstream body "c"',
      "> handle_response(context=0, is_error=false)",
      "< handle_response",
      "=> client head 200 {}",
      '=> client body "de"',
      '=> client body "f"',
      "=> client end",
    ],
  },
  {
    name: "come with the whole request when the module reads bodies",
    guest: handling([READ], [["get_status_code"]]),
    run: BODIES,
    shows: [...SHOWS, "read_body"],
    lines: [
      "> handle_request()",
      'read_body(kind=Request) = 4294967299 -> bytes="abc"',
      "< handle_request = 1",
      toUpstream("POST", "/"),
      '=> upstream body "abc"',
      "> handle_response(context=0, is_error=false)",
      "< handle_response",
      "=> client head 200 {}",
      '=> client body "de"',
      '=> client body "f"',
      "=> client end",
    ],
  },
  {
    name: "come with the whole response with buffer_response",
    guest: handling([READ, ENABLE_ALL], [READ_RESPONSE]),
    run: BODIES,
    shows: [...SHOWS, "read_body"],
    lines: [
      "> handle_request()",
      'read_body(kind=Request) = 4294967299 -> bytes="abc"',
      "< handle_request = 1",
      toUpstream("POST", "/"),
      '=> upstream body "abc"',
      "> handle_response(context=0, is_error=false)",
      'read_body(kind=Response) = 4294967299 -> bytes="def"',
      "< handle_response",
      "=> client head 200 {}",
      '=> client body "def"',
      "=> client end",
    ],
  },
  {
    name: "come with the trailers of both messages, enabled at the start",
    guest: initializing([ENABLE_ALL], [READ, ["get_header_names", 2, BUF, 64]]),
    run: {
      request: { method: "POST", body: ["ab"], trailers: [["x-sum", "1"]] },
      upstream: { body: ["de"], trailers: [["x-total", "2"]] },
    },
    shows: [...SHOWS, "get_header_names"],
    lines: [
      "> _initialize()",
      "< _initialize",
      "> handle_request()",
      'get_header_names(kind=RequestTrailers) = 4294967302 -> names="x-sum\\x00"',
      "< handle_request = 1",
      toUpstream("POST", "/"),
      '=> upstream body "ab"',
      "> handle_response(context=0, is_error=false)",
      "< handle_response",
      "=> client head 200 {}",
      '=> client body "de"',
      '=> client end {x-total: "2"}',
    ],
  },
  {
    name: "do not wait for events, which flow",
    guest: handling([READ, ENABLE_ALL], [READ_RESPONSE]),
    run: {
      upstream: {
        headers: [["Content-Type", "text/event-stream"]],
        body: ["data: 1\n\n", "data: 2\n\n"],
      },
    },
    shows: [...SHOWS, "read_body"],
    lines: [
      "> handle_request()",
      'read_body(kind=Request) = 4294967296 -> bytes=""',
      "< handle_request = 1",
      toUpstream("GET", "/"),
      "> handle_response(context=0, is_error=false)",
      'read_body(kind=Response) = 4294967296 -> bytes=""',
      "< handle_response",
      '=> client head 200 {Content-Type: "text/event-stream"}',
      '=> client body "data: 1\\n\\n"',
      '=> client body "data: 2\\n\\n"',
      "=> client end",
    ],
  },
  {
    name: "tell of a response that the gateway has made because something failed",
    guest: handling([], [["get_status_code"]]),
    run: { upstream: { failure: "UPSTREAM_CONNECT_FAILED" } },
    shows: [...SHOWS, "get_status_code"],
    lines: [
      "> handle_request()",
      "< handle_request = 1",
      toUpstream("GET", "/"),
      "> handle_response(context=0, is_error=true)",
      "get_status_code() = 502",
      "< handle_response",
      '=> client head 502 {Content-Type: "application/json"}',
      shownFailure("UPSTREAM_CONNECT_FAILED", 502),
      "=> client end",
    ],
  },
  {
    name: "do not come for a request that is longer than may wait: 413",
    guest: handling([READ]),
    run: { ...BODIES, filterBufferBytes: 2 },
    shows: ["callbacks", "client head"],
    lines: ['=> client head 413 {Content-Type: "application/json"}'],
  },
  {
    name: "that trap in the request: 503, and no upstream is asked",
    guest: handling([["set_method", 0, 0]]),
    run: BODIES,
    shows: SHOWS,
    lines: [
      "> handle_request()",
      '< handle_request failed: Cannot set the method to "": no token',
      '=> client head 503 {Content-Type: "application/json"}',
      shownFailure("FILTER_FAILED", 503),
      "=> client end",
    ],
  },
  {
    name: "that trap in the request, fail: open: the exchange passes without the guest",
    guest: handling([["set_method", 0, 0]]),
    run: { ...BODIES, fail: "open" },
    shows: SHOWS,
    lines: [
      "> handle_request()",
      '< handle_request failed: Cannot set the method to "": no token',
      toUpstream("POST", "/"),
      '=> upstream body "ab"',
      '=> upstream body "c"',
      "=> client head 200 {}",
      '=> client body "de"',
      '=> client body "f"',
      "=> client end",
    ],
  },
  {
    name: "that trap in the response: 503 in its place",
    guest: handling([], [["set_method", 0, 0]]),
    run: BODIES,
    shows: SHOWS,
    lines: [
      "> handle_request()",
      "< handle_request = 1",
      toUpstream("POST", "/"),
      '=> upstream body "ab"',
      '=> upstream body "c"',
      "> handle_response(context=0, is_error=false)",
      "< handle_response failed: Cannot change the method in handle_response: the request has " +
        "been sent",
      '=> client head 503 {Content-Type: "application/json"}',
      shownFailure("FILTER_FAILED", 503),
      "=> client end",
    ],
  },
]);
