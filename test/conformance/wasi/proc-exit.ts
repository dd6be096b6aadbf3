import { casesOf } from "../case.ts";
import { text } from "../probe.ts";
import { shownFailure } from "../shown.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "proc_exit",
  underBothNames((module) => {
    const exit = `${module}:proc_exit`;
    return [
      {
        name: "proc_exit() with 0 only ends _start: the guest is kept",
        guest: {
          on: {
            _start: {
              calls: [
                [exit, 0],
                ["proxy_log", 2, text("not reached")],
              ],
            },
            proxy_on_request_headers: { calls: [["proxy_log", 2, text("alive")]] },
          },
        },
        shows: ["proxy_log"],
        lines: [
          "proc_exit(code=0) failed: the guest exited with code 0",
          'proxy_log(level=info, message="alive") = Ok',
        ],
      },
      {
        name: "proc_exit() with another code ends a start, and the plugin is refused",
        guest: { on: { _start: { calls: [[exit, 3]] } } },
        lines: [
          "proc_exit(code=3) failed: the guest exited with code 3",
          "< _start failed: the guest exited with code 3",
          'refused: _start of plugin "plugin" failed: the guest exited with code 3',
        ],
      },
      {
        name: "proc_exit() in a callback ends it, and the exchange with it",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                [exit, 1],
                ["proxy_log", 2, text("not reached")],
              ],
            },
            proxy_on_log: {},
          },
        },
        shows: ["callbacks", "proxy_log", "log"],
        lines: [
          "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
          "proc_exit(code=1) failed: the guest exited with code 1",
          "< proxy_on_request_headers failed: the guest exited with code 1",
          "log critical: proxy_on_request_headers failed: the guest exited with code 1",
        ],
      },
      {
        name: "proc_exit() with 0 in a callback ends it, too",
        guest: { on: { proxy_on_request_headers: { calls: [[exit, 0]] } } },
        shows: ["client"],
        lines: [
          "proc_exit(code=0) failed: the guest exited with code 0",
          '=> client head 503 {Content-Type: "application/json"}',
          shownFailure("FILTER_FAILED", 503),
          "=> client end",
        ],
      },
      {
        name: "proc_exit() takes any number for a code",
        guest: { on: { proxy_on_request_headers: { calls: [[exit, 0xffff_ffff]] } } },
        lines: [
          "proc_exit(code=4294967295) failed: the guest exited with code -1",
          "< proxy_on_request_headers failed: the guest exited with code -1",
        ],
      },
    ];
  }),
);
