import { casesOf } from "../case.ts";
import { type Call, end, MAX } from "../probe.ts";
import { underBothNames } from "../wasi-names.ts";

const ENV = { A: "1", CITY: "Köln" };

export const conformance = casesOf(
  "environ_get",
  underBothNames((module) => {
    const get = `${module}:environ_get`;
    return [
      {
        name: "environ_get() writes where each variable begins, and the variables",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                [get, 8192, 8448],
                ["proxy_log", 2, 8192, 8],
                ["proxy_log", 2, 8448, 16],
              ],
            },
          },
        },
        run: { allow: { env: ENV } },
        shows: ["proxy_log"],
        lines: [
          "environ_get() = success",
          'proxy_log(level=info, message="\\x00!\\x00\\x00\\x04!\\x00\\x00") = Ok',
          'proxy_log(level=info, message="A=1\\x00CITY=Köln\\x00\\x00") = Ok',
        ],
      },
      {
        name: "environ_get() writes nothing when nothing is granted",
        guest: {
          startSection: { calls: [[get, MAX, MAX]] },
          on: { proxy_on_request_headers: { calls: [[get, MAX, MAX]] } },
        },
        lines: ["environ_get() = success", "environ_get() = success"],
      },
      {
        name: "environ_get() answers fault where there is no room for all of it",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                [get, end(7), 8448],
                [get, end(), 8448],
                [get, MAX - 3, 8448],
                [get, 8192, end(14)],
                [get, 8192, end()],
                [get, 8192, MAX],
                [get, MAX, MAX],
                [get, 0x8000_0000, 0x8000_0000],
              ] satisfies Call[],
            },
          },
        },
        run: { allow: { env: ENV } },
        lines: Array<string>(8).fill("environ_get() = fault"),
      },
    ];
  }),
);
