import { casesOf } from "../case.ts";
import { handling, outsideCases, refusedAtStart, trapping, toUpstream } from "../handlers.ts";
import { text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const set = new Prototype("set_method", { method: [text("POST"), '"POST"'] });

export const conformance = casesOf("set_method", [
  {
    name: "set_method() changes the method that goes to the upstream",
    guest: handling([set.call(), set.call({ method: text("PATCH") })]),
    shows: ["upstream"],
    lines: [
      'set_method(method="POST")',
      'set_method(method="PATCH")',
      toUpstream("PATCH", "/"),
      "=> upstream end",
    ],
  },
  ...["", "A B", "A\n", "\xff"].map((method) =>
    trapping({
      name: `set_method() traps on ${JSON.stringify(method)}, which is no token`,
      call: set.call({ method: text(method) }),
      line: set.line("", {
        method: { "A\n": '"A\\n"', "\xff": '"\\xff"' }[method] ?? `"${method}"`,
      }),
      why: `Cannot set the method to ${JSON.stringify(method)}: no token`,
    }),
  ),
  trapping({
    name: "set_method() traps on a method above 64 bytes",
    call: set.call({ method: text("M".repeat(65)) }),
    line: set.line("", { method: shownLong("M", 65) }),
    why: "Cannot take a method of 65 bytes: the limit is 64",
  }),
  trapping({
    name: "set_method() traps in handle_response: the request has been sent",
    call: set.call(),
    line: set.line(""),
    why: "Cannot change the method in handle_response: the request has been sent",
    within: "handle_response",
  }),
  ...outsideCases(set, "method"),
  refusedAtStart(set),
]);
