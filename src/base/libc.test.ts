import { describe, expect, test } from "bun:test";
import {
  addressOf,
  MAP_ANONYMOUS,
  MAP_FAILED,
  MAP_PRIVATE,
  openLibc,
  PROT_READ_WRITE,
  systemLibc,
  type Host,
} from "./libc.ts";

/** A host on which only the libraries of these names can be opened, and what was asked for. */
function hostWith(names: readonly string[], host: Partial<Host> = {}): Host & { asked: string[] } {
  const asked: string[] = [];
  const dlopen: Host["dlopen"] = (library) => {
    asked.push(library);
    if (!names.includes(library)) throw new Error(`Cannot open ${library}`);
    return { symbols: { sysconf: () => 16_384 } } as unknown as ReturnType<Host["dlopen"]>;
  };
  return { platform: "linux", arch: "x64", dlopen, asked, ...host };
}

describe("openLibc()", () => {
  test.each([
    { name: "glibc", arch: "x64", library: "libc.so.6", asked: ["libc.so.6"] },
    {
      name: "musl on x64",
      arch: "x64",
      library: "libc.musl-x86_64.so.1",
      asked: ["libc.so.6", "libc.musl-x86_64.so.1"],
    },
    {
      name: "musl on arm64",
      arch: "arm64",
      library: "libc.musl-aarch64.so.1",
      asked: ["libc.so.6", "libc.musl-aarch64.so.1"],
    },
  ])("opens $name", ({ arch, library, asked }) => {
    const host = hostWith([library], { arch });
    expect(openLibc(host)?.sysconf(30)).toBe(16_384);
    expect(host.asked).toEqual([...asked]);
  });

  test("finds none where there is none", () => {
    expect(openLibc(hostWith([]))).toBeUndefined();
  });

  test.each([{ platform: "darwin" }, { platform: "win32" }, { arch: "riscv64" }])(
    "does not look on %o",
    (host) => {
      const other = hostWith(["libc.so.6"], host);
      expect(openLibc(other)).toBeUndefined();
      expect(other.asked).toEqual([]);
    },
  );
});

describe("systemLibc()", () => {
  test("maps memory, copies into it, and says why a call failed", () => {
    const libc = systemLibc();
    if (libc === undefined) throw new Error("Cannot test without a C library");
    const flags = MAP_PRIVATE + MAP_ANONYMOUS;
    const at = libc.mmap(0, 65_536, PROT_READ_WRITE, flags, -1, 0);
    expect(at).toBeGreaterThan(0);
    const bytes = Uint8Array.of(1, 2, 3);
    libc.memset(at, 9, 65_536);
    libc.memcpy(at + 1, addressOf(bytes.buffer) ?? 0, 3);
    const back = new Uint8Array(5);
    libc.memcpy(addressOf(back.buffer) ?? 0, at, 5);
    expect([...back]).toEqual([9, 1, 2, 3, 9]);
    expect(libc.munmap(at, 65_536)).toBe(0);
    const EINVAL = 22;
    expect(libc.mmap(0, 0, PROT_READ_WRITE, flags, -1, 0)).toBe(MAP_FAILED);
    expect(libc.errno()).toBe(EINVAL);
    expect(systemLibc()).toBe(libc);
  });
});

describe("addressOf()", () => {
  test("has none for no bytes", () => {
    expect(addressOf(new ArrayBuffer(0))).toBeUndefined();
  });
});
