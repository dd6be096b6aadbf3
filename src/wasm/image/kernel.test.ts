import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { addressOf, systemLibc, type Libc } from "../../base/libc.ts";
import { openKernel, systemKernel } from "./kernel.ts";

const system = systemLibc();
if (system === undefined) throw new Error("Cannot test without a C library");
const libc: Libc = system;

describe("openKernel()", () => {
  test("is undefined without a C library, and for pages that a Wasm page is not made of", () => {
    expect(openKernel(undefined)).toBeUndefined();
    for (const pageBytes of [-1, 0, 1000, 131_072]) {
      expect(openKernel({ ...libc, sysconf: () => pageBytes })).toBeUndefined();
    }
  });

  test("reads what it cannot ask for, and leaves nothing open that it does not use", () => {
    const openBefore = readdirSync("/proc/self/fd").length;
    const kernel = openKernel({ ...libc, ioctl: () => -1 });
    expect(readdirSync("/proc/self/fd").length).toBe(openBefore + 1); // /proc/self/maps
    expect(kernel?.privatePages).toBeUndefined();
    const address = addressOf(new ArrayBuffer(1000)) ?? 0;
    expect(kernel?.mappings()?.(address)?.permissions).toBe("rw-p");
  });
});

describe("systemKernel()", () => {
  test("is opened once", () => {
    expect(systemKernel()).toBe(systemKernel() as never);
    expect(systemKernel()?.pageBytes).toBeOneOf([4096, 16_384, 65_536]);
  });
});
