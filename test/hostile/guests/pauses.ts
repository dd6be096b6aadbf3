import { attack, type HostileGuest, SERVED } from "../guest.ts";

/** Guests that never say "go on", and guests that lie in what they answer. */
const LEAVES = { leavesAfterMs: 2, expect: ["left"] };
const TOO_LONG = ["504 FILTER_PAUSED_TOO_LONG"];
const SLOW_RUNS = 16;

const LIES = [2, 3, 4, 99, -1, 0x7fff_ffff];

export const PAUSES: readonly HostileGuest[] = [
  { name: "pause-request-headers", wat: attack("request_headers", "", 1), ...LEAVES },
  { name: "pause-response-headers", wat: attack("response_headers", "", 1), ...LEAVES },
  {
    name: "pause-request-body",
    wat: attack("request_body", "", 1),
    request: "post",
    ...LEAVES,
  },
  { name: "pause-response-body", wat: attack("response_body", "", 1), ...LEAVES },
  {
    name: "pause-request-trailers",
    wat: attack("request_trailers", "", 1),
    request: "trailers",
    ...LEAVES,
  },
  {
    name: "pause-everything",
    wat: [
      "request_headers" as const,
      "request_body" as const,
      "response_headers" as const,
      "response_body" as const,
    ]
      .map((name) => attack(name, "", 1))
      .join("\n"),
    ...LEAVES,
  },
  {
    name: "pause-request-headers-for-ever",
    wat: attack("request_headers", "", 1),
    slowRuns: SLOW_RUNS,
    expect: TOO_LONG,
  },
  {
    name: "pause-response-headers-for-ever",
    wat: attack("response_headers", "", 1),
    slowRuns: SLOW_RUNS,
    expect: TOO_LONG,
  },
  {
    name: "pause-request-body-for-ever",
    wat: attack("request_body", "", 1),
    request: "post",
    slowRuns: SLOW_RUNS,
    expect: TOO_LONG,
  },
  {
    name: "pause-response-body-for-ever",
    wat: attack("response_body", "", 1),
    slowRuns: SLOW_RUNS,
    expect: ["cut"],
  },
  ...LIES.map((answer) => ({
    name: `pause-answering-${String(answer).replace("-", "minus-")}`,
    wat: attack("request_headers", "", answer),
    ...LEAVES,
  })),
  {
    name: "pause-nothing-but-answer-minus-one-on-done",
    wat: attack("done", "", -1),
    expect: SERVED,
  },
  {
    // Nothing follows headers that are also the end.
    name: "pause-then-continue-in-the-body",
    wat:
      attack("request_headers", "(drop (call $proxy_continue_stream #0))", 1) +
      attack("request_body", "(drop (call $proxy_continue_stream #0))", 1),
    request: "post",
    expect: SERVED,
  },
];
