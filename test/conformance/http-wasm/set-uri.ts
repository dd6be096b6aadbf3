import { casesOf } from "../case.ts";
import { handling, outsideCases, refusedAtStart, trapping, toUpstream } from "../handlers.ts";
import { text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const set = new Prototype("set_uri", { uri: [text("/x?y=z"), '"/x?y=z"'] });

export const conformance = casesOf("set_uri", [
  {
    name: "set_uri() changes path and query that go to the upstream",
    guest: handling([set.call()]),
    run: { request: { url: "http://example.test/a?b=c" } },
    shows: ["upstream"],
    lines: ['set_uri(uri="/x?y=z")', toUpstream("GET", "/x?y=z"), "=> upstream end"],
  },
  {
    name: "set_uri() takes an empty one for a slash, and keeps what is encoded",
    guest: handling([
      set.call({ uri: [0, 0] }),
      ["get_uri", 32_768, 64],
      set.call({ uri: text("/%C3%A9?") }),
    ]),
    run: { request: { url: "http://example.test/a?b=c" } },
    shows: ["upstream", "get_uri"],
    lines: [
      'set_uri(uri="")',
      'get_uri() = 1 -> uri="/"',
      'set_uri(uri="/%C3%A9?")',
      toUpstream("GET", "/%C3%A9?"),
      "=> upstream end",
    ],
  },
  ...["x", "*", "?a=b", "http://a/", "/a b", "/\n"].map((uri) =>
    trapping({
      name: `set_uri() traps on ${JSON.stringify(uri)}, which is no path`,
      call: set.call({ uri: text(uri) }),
      line: set.line("", { uri: JSON.stringify(uri) }),
      why: `Cannot set the URI to ${JSON.stringify(uri)}: a path begins with "/"`,
    }),
  ),
  trapping({
    name: "set_uri() traps on a URI above 8 KiB",
    call: set.call({ uri: text("/".repeat(8193)) }),
    line: set.line("", { uri: shownLong("/", 8193) }),
    why: "Cannot take a URI of 8193 bytes: the limit is 8192",
  }),
  trapping({
    name: "set_uri() traps in handle_response: the request has been sent",
    call: set.call(),
    line: set.line(""),
    why: "Cannot change the URI in handle_response: the request has been sent",
    within: "handle_response",
  }),
  ...outsideCases(set, "uri"),
  refusedAtStart(set),
]);
