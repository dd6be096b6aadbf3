import { casesOf } from "../case.ts";
import { BUF, handling, refusedAtStart, trapping } from "../handlers.ts";
import { Prototype } from "../prototype.ts";

const set = new Prototype("set_status_code", { status: [418, "418"] });

export const conformance = casesOf("set_status_code", [
  {
    name: "set_status_code() sets that of the guest's own response",
    guest: handling([set.call()], [], 0n),
    shows: ["client", "upstream"],
    lines: ["set_status_code(status=418)", "=> client head 418 {}", "=> client end"],
  },
  {
    name: "set_status_code() in handle_request is laid over the upstream's",
    guest: handling([set.call()]),
    run: { upstream: { status: 404 } },
    shows: ["client"],
    lines: ["set_status_code(status=418)", "=> client head 418 {}", "=> client end"],
  },
  {
    name: "set_status_code() changes the upstream's with buffer_response",
    guest: handling(
      [
        ["enable_features", 2],
        ["read_body", 0, BUF, 8],
      ],
      [set.call(), set.call({ status: 599 }), set.call({ status: 200 })],
    ),
    run: { upstream: { status: 404 } },
    shows: ["client"],
    lines: [
      "set_status_code(status=418)",
      "set_status_code(status=599)",
      "set_status_code(status=200)",
      "=> client head 200 {}",
      "=> client end",
    ],
  },
  ...[199, 600, 100, 101, 0, -1, 0x7fff_ffff].map((status) =>
    trapping({
      name: `set_status_code() traps on ${status}, which is no final status`,
      call: set.call({ status }),
      line: set.line("", { status: String(status >>> 0) }),
      why: `Cannot set the status to ${status}: it is 200 to 599`,
    }),
  ),
  trapping({
    name: "set_status_code() traps in handle_response without buffer_response",
    call: set.call(),
    line: set.line(""),
    why: "Cannot change the status in handle_response without the feature buffer_response",
    within: "handle_response",
  }),
  refusedAtStart(set),
]);
