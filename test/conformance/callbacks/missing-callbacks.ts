import { type Case, casesOf } from "../case.ts";
import { every, WITH_BODIES } from "../every-callback.ts";

const RUN = {
  request: { method: "POST", body: ["a"], trailers: [["X-T", "1"]] },
  upstream: { body: ["b"], trailers: [["X-T", "2"]] },
} as const;
const SENT = ["upstream body", "upstream end", "client body", "client end"];
const PASSED = [
  '=> upstream body "a"',
  '=> upstream end {X-T: "1"}',
  '=> client body "b"',
  '=> client end {X-T: "2"}',
];

/** Each callback alone, of which nothing but its own call is seen. */
const alone = Object.keys(every()).map((name): Case => ({
  name: `but ${name}: the exchange passes`,
  guest: { on: { [name]: {} } },
  run: RUN,
  shows: SENT,
  lines: PASSED,
}));

export const conformance = casesOf("missing callbacks", [
  { name: "all: the exchange passes", guest: { on: {} }, run: RUN, shows: SENT, lines: PASSED },
  ...alone,
  {
    name: "of bodies: a pause of headers under pause: stream waits as under all",
    guest: {
      on: {
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: {
          calls: [
            ["proxy_set_effective_context", 2],
            ["proxy_continue_stream", 0],
            ["proxy_set_tick_period_milliseconds", 0],
          ],
        },
      },
    },
    run: { ...WITH_BODIES, pause: "stream" },
    shows: ["proxy_on_request_headers", "proxy_on_tick", "upstream body"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      '=> upstream body "ab"',
      '=> upstream body "c"',
    ],
  },
]);
