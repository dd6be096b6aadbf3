import { quote } from "../../../src/plugin-run/render.ts";
import { SeededRandom } from "../../../src/plugin-run/seeded-random.ts";
import { casesOf } from "../case.ts";
import { type Call, end, MAX } from "../probe.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "random_get",
  underBothNames((module) => {
    const get = `${module}:random_get`;
    const random = new SeededRandom(7);
    const given = (byteLength: number): string => {
      const bytes = Buffer.from(random.bytes(byteLength)).toString("latin1");
      return `random_get() = success -> bytes=${quote(bytes)}`;
    };
    return [
      {
        name: "random_get() fills any number of bytes up to 64 KiB, other ones each time",
        guest: {
          pages: 2,
          startSection: { calls: [[get, 8192, 4]] },
          on: {
            proxy_on_request_headers: {
              calls: [
                [get, 8192, 4],
                [get, 8192, 0],
                [get, end(), 0],
                [get, end(65_536), 65_536],
              ],
            },
          },
        },
        run: { seed: 7 },
        lines: [given(4), given(4), given(0), given(0), given(65_536)],
      },
      {
        name: "random_get() answers invalid to more than 64 KiB, wherever they would go",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                [get, 0, 65_537],
                [get, 0, 0x8000_0000],
                [get, MAX, MAX],
              ],
            },
          },
        },
        lines: Array<string>(3).fill("random_get() = invalid"),
      },
      {
        name: "random_get() answers fault for what is not within memory",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                [get, end(), 1],
                [get, end(1), 2],
                [get, MAX, 1],
                [get, MAX - 9, 65_536],
                [get, 0x8000_0000, 16],
              ] satisfies Call[],
            },
          },
        },
        lines: Array<string>(5).fill("random_get() = fault"),
      },
    ];
  }),
);
