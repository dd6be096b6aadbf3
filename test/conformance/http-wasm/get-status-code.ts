import { casesOf } from "../case.ts";
import { handling, refusedAtStart } from "../handlers.ts";
import { Prototype } from "../prototype.ts";

const get = new Prototype("get_status_code", {});

export const conformance = casesOf("get_status_code", [
  {
    name: "get_status_code() is 200 before there is a response, and then the upstream's",
    guest: handling([get.call()], [get.call()]),
    run: { upstream: { status: 404 } },
    lines: ["get_status_code() = 200", "get_status_code() = 404"],
  },
  {
    name: "get_status_code() is what the guest has set, over the upstream's",
    guest: handling(
      [["set_status_code", 418], get.call()],
      [get.call(), ["enable_features", 0], get.call()],
    ),
    run: { upstream: { status: 404 } },
    lines: ["get_status_code() = 418", "get_status_code() = 418", "get_status_code() = 418"],
  },
  {
    name: "get_status_code() tells of a response that the gateway has made",
    guest: handling([], [get.call()]),
    run: { upstream: { failure: "UPSTREAM_CONNECT_FAILED" } },
    shows: ["handle_response"],
    lines: [
      "> handle_response(context=0, is_error=true)",
      "get_status_code() = 502",
      "< handle_response",
    ],
  },
  refusedAtStart(get),
]);
