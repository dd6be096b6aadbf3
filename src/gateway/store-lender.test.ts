import { describe, expect, spyOn, test } from "bun:test";
import { log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { createLentFile, StoreLender } from "./store-lender.ts";

/** As much of a configuration as is looked at. */
function configOf(workers: number, ...namespaces: string[]): Config {
  const plugins = namespaces.map((namespace) => ({ allow: { namespace } }));
  return { workers, plugins } as unknown as Config;
}

describe("StoreLender", () => {
  test("gives every namespace a place and every worker a number, each once", () => {
    const lender = new StoreLender(createLentFile());
    const places = lender.name(configOf(2, "a", "b", "a"));
    expect(places).toEqual({ a: { region: 0, number: 1 }, b: { region: 1, number: 2 } });
    expect(lender.name(configOf(2, "b"))["b"]).toEqual(places["b"] as never);
    expect([lender.takeSerial(), lender.takeSerial()]).toEqual([1, 2]);
  });

  test("warns once where there is no shared memory and several workers would need it", () => {
    const warn = spyOn(log, "warn").mockImplementation(() => {});
    const lender = new StoreLender(undefined);
    expect(lender.name(configOf(2, "a"))).toEqual({});
    lender.keepOnly(configOf(1, "a"));
    expect(warn).toHaveBeenCalledTimes(0);
    for (let n = 0; n < 2; n++) lender.keepOnly(configOf(2, "a"));
    lender.sweep();
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining("set workers: 1"),
    ]);
    warn.mockRestore();
  });
});
