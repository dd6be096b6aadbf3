import { describe, expect, test } from "bun:test";
import { log } from "../../src/base/log.ts";
import { casesOf, linesOf } from "./case.ts";
import { end, loaded, MAX, moduleOf, out, param, type Probe, text } from "./probe.ts";

log.configure({ level: "error", format: "text" });

/** Lines that the guest has logged, and its callbacks that have failed. */
async function told(guest: Probe): Promise<string[]> {
  const conformance = casesOf("log", [{ name: "", guest, shows: ["log"], lines: [] }]);
  const [only] = conformance.cases;
  return only === undefined ? [] : linesOf(conformance, only);
}

describe("moduleOf()", () => {
  test("hands what a call has written to a later one", async () => {
    const lines = await told({
      on: {
        proxy_on_request_headers: {
          calls: [
            ["proxy_get_property", text("plugin_name"), out("ptr"), out("length")],
            ["proxy_log", 2, loaded("ptr"), loaded("length")],
          ],
        },
      },
    });
    expect(lines).toEqual(["log info: plugin"]);
  });

  test("takes the steps of a callback in turn, and the last one again", async () => {
    const once = { calls: [["proxy_log", 2, text("once")]] } as const;
    const later = { calls: [["proxy_log", 2, text("later")]] } as const;
    const lines = await told({
      startSection: once,
      on: { proxy_on_log: [once, later], proxy_on_context_create: [once, later] },
    });
    expect(lines).toEqual(["once", "once", "later", "once"].map((word) => `log info: ${word}`));
  });

  test("repeats a call, and traps when it is told", async () => {
    const repeated = { times: 3, call: ["proxy_log", 2, text("again")] } as const;
    const lines = await told({
      on: { proxy_on_request_headers: { calls: [repeated], traps: true } },
    });
    expect(lines.slice(0, 3)).toEqual(Array(3).fill("log info: again"));
    expect(lines[4]).toStartWith("log critical: proxy_on_request_headers failed: ");
    expect(lines[3]).toStartWith("< proxy_on_request_headers failed: ");
  });

  test("knows the context, the end of memory, and what lies beyond it", async () => {
    const conformance = casesOf("proxy_set_effective_context", [
      {
        name: "",
        guest: {
          pages: 2,
          on: {
            proxy_on_request_headers: {
              calls: [
                ["proxy_set_effective_context", param(0)],
                ["proxy_log", 2, end(), 0],
                ["proxy_log", 2, end(), 1],
                ["proxy_log", 2, end(1), 1],
                ["proxy_log", 2, MAX, 1],
              ],
            },
          },
        },
        shows: ["proxy_log"],
        lines: [],
      },
    ]);
    const [only] = conformance.cases;
    expect(only && (await linesOf(conformance, only))).toEqual([
      "proxy_set_effective_context(context=2) = Ok",
      'proxy_log(level=info, message="") = Ok',
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
      'proxy_log(level=info, message="\\x00") = Ok',
      "proxy_log(level=info, message=beyond-memory) = InvalidMemoryAccess",
    ]);
  });

  test("refuses functions and callbacks that there are not", () => {
    const misspelt: Probe = { on: { proxy_on_request_headers: { calls: [["proxy_logs"]] } } };
    expect(() => moduleOf(misspelt)).toThrow('the function "proxy_logs"');
    expect(() => moduleOf({ on: { proxy_on_sunday: {} } })).toThrow(
      'the callback "proxy_on_sunday',
    );
  });
});
