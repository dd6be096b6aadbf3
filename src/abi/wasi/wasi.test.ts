import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { GuestMemory } from "../../wasm/guest-memory.ts";
import { GuestExit } from "../../wasm/trap.ts";
import { WASI_SIGNATURES } from "./signatures.ts";
import { wasiImports } from "./wasi.ts";

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const FAULT = 21;
const INVALID = 28;
const NO_ENTRY = 44;
const NOT_IMPLEMENTED = 52;
const NOT_SUPPORTED = 58;

/** Outside of the one page that the guest has. */
const BAD = 0xffff_fff0;

describe("wasiImports()", () => {
  test("provides every function under both names", () => {
    const imports = wasiImports(host());
    expect(Object.keys(imports)).toEqual(["wasi_snapshot_preview1", "wasi_unstable"]);
    for (const functions of Object.values(imports)) {
      expect(Object.keys(functions).toSorted()).toEqual(Object.keys(WASI_SIGNATURES).toSorted());
    }
  });

  test.each([
    { name: "fd_close", args: [1], errno: SUCCESS },
    { name: "fd_seek", args: [1, 0n, 0, 0], errno: SUCCESS },
    { name: "fd_read", args: [0, 0, 0, 0], errno: NOT_IMPLEMENTED },
    { name: "fd_fdstat_set_flags", args: [1, 0], errno: NOT_IMPLEMENTED },
    { name: "fd_prestat_get", args: [3, 0], errno: BAD_DESCRIPTOR },
    { name: "fd_prestat_dir_name", args: [3, 0, 0], errno: NOT_IMPLEMENTED },
    { name: "fd_filestat_get", args: [1, 0], errno: BAD_DESCRIPTOR },
    { name: "path_open", args: [3, 0, 0, 0, 0, 0n, 0n, 0, 0], errno: NO_ENTRY },
    { name: "path_filestat_get", args: [3, 0, 0, 0, 0], errno: NOT_SUPPORTED },
    { name: "path_unlink_file", args: [3, 0, 0], errno: NOT_SUPPORTED },
    { name: "sock_send", args: [3, 0, 0, 0, 0], errno: NOT_SUPPORTED },
    { name: "sched_yield", args: [], errno: SUCCESS },
    { name: "args_get", args: [0, 0], errno: SUCCESS },
  ])("has nothing behind $name", ({ name, args, errno }) => {
    expect(call(host(), name, ...args)).toBe(errno);
  });
});

describe("fd_write()", () => {
  test("prints the bytes of all iovecs and says how many they were", () => {
    const wasi = host();
    put(wasi, 1000, "hello, world\n");
    iovecs(wasi, 16, [1000, 5], [1005, 8]);
    expect(call(wasi, "fd_write", 1, 16, 2, 8)).toBe(SUCCESS);
    expect(wasi.memory.readU32(8)).toBe(13);
    expect(wasi.printed).toEqual(["1 hello, world\n"]);
  });

  test("counts everything and prints no more than a log line has room for", () => {
    const wasi = host();
    iovecs(wasi, 16, [1000, LIMITS.guestLogBytesMax - 1], [1000, 60_000]);
    expect(call(wasi, "fd_write", 2, 16, 2, 8)).toBe(SUCCESS);
    expect(wasi.memory.readU32(8)).toBe(LIMITS.guestLogBytesMax - 1 + 60_000);
    expect(wasi.printed[0]).toHaveLength("2 ".length + LIMITS.guestLogBytesMax);
  });

  test("prints nothing for no bytes", () => {
    const wasi = host();
    expect(call(wasi, "fd_write", 1, 0, 0, 8)).toBe(SUCCESS);
    expect(wasi.printed).toEqual([]);
  });
});

describe("fd_write() errors", () => {
  test.each([
    { name: "standard input", args: [0, 16, 1, 8], errno: BAD_DESCRIPTOR },
    { name: "a file", args: [3, 16, 1, 8], errno: BAD_DESCRIPTOR },
    { name: "iovecs outside the memory", args: [1, BAD, 1, 8], errno: FAULT },
    { name: "iovecs over the end", args: [1, 65_530, 1, 8], errno: FAULT },
    { name: "an out-pointer outside", args: [1, 16, 1, BAD], errno: FAULT },
    { name: "too many iovecs", args: [1, 16, 1025, 8], errno: INVALID },
    { name: "minus one iovecs", args: [1, 16, -1, 8], errno: INVALID },
    { name: "bytes outside the memory", args: [1, 32, 1, 8], errno: FAULT },
  ])("refuses $name and prints nothing", ({ args, errno }) => {
    const wasi = host();
    iovecs(wasi, 16, [1000, 1], [1000, 1]);
    iovecs(wasi, 32, [65_000, 1000]);
    expect(call(wasi, "fd_write", ...args)).toBe(errno);
    expect(wasi.printed).toEqual([]);
  });
});

describe("fd_fdstat_get()", () => {
  test("describes the log streams as writable", () => {
    const wasi = host();
    expect(call(wasi, "fd_fdstat_get", 1, 100)).toBe(SUCCESS);
    //       type and flags   rights: fd_write  inheriting rights
    const expected = "0000000000000000 4000000000000000 0000000000000000";
    expect(wasi.memory.copy(100, 24)?.toHex()).toBe(expected.replaceAll(" ", ""));
  });

  test("knows no other descriptors and checks the address", () => {
    expect(call(host(), "fd_fdstat_get", 0, 100)).toBe(BAD_DESCRIPTOR);
    expect(call(host(), "fd_fdstat_get", 1, BAD)).toBe(FAULT);
  });
});

describe("environ_get()", () => {
  test("writes what is granted, and nothing of the process's own", () => {
    const wasi = host({ A: "1", LONG: "é" });
    expect(call(wasi, "environ_sizes_get", 0, 4)).toBe(SUCCESS);
    expect(wasi.memory.readU32(0)).toBe(2);
    expect(wasi.memory.readU32(4)).toBe("A=1\0".length + "LONG=xx\0".length);
    expect(call(wasi, "environ_get", 100, 200)).toBe(SUCCESS);
    expect(wasi.memory.readU32(100)).toBe(200);
    expect(wasi.memory.readU32(104)).toBe(204);
    expect(wasi.memory.utf8(200, 12)).toBe("A=1\0LONG=é\0");
  });

  test("checks its addresses", () => {
    const wasi = host({ A: "1" });
    expect(call(wasi, "environ_sizes_get", BAD, 4)).toBe(FAULT);
    expect(call(wasi, "environ_sizes_get", 0, BAD)).toBe(FAULT);
    expect(call(wasi, "environ_get", BAD, 0)).toBe(FAULT);
    expect(call(wasi, "environ_get", 0, BAD)).toBe(FAULT);
  });

  test("does not start again at 0 when an address leaves 32 bits", () => {
    const wasi = host({ A: "1", B: "2" });
    expect(call(wasi, "environ_get", 0, 0xffff_fffc)).toBe(FAULT);
    expect(call(wasi, "environ_get", 0xffff_fffc, 0)).toBe(FAULT);
    expect(wasi.memory.latin1(0, 100, 100)).not.toContain("=");
  });
});

describe("args_sizes_get()", () => {
  test("says that there are none", () => {
    const wasi = host();
    wasi.memory.writeU64(0, 0xffff_ffff_ffff_ffffn);
    expect(call(wasi, "args_sizes_get", 0, 4)).toBe(SUCCESS);
    expect(wasi.memory.readU32(0)).toBe(0);
    expect(wasi.memory.readU32(4)).toBe(0);
    expect(call(wasi, "args_sizes_get", BAD, 4)).toBe(FAULT);
  });
});

describe("clock_time_get()", () => {
  test("tells the time of day", () => {
    const wasi = host();
    const before = BigInt(Date.now() - 1000) * 1_000_000n;
    expect(call(wasi, "clock_time_get", 0, 0n, 8)).toBe(SUCCESS);
    const time = new DataView(wasi.buffer).getBigUint64(8, true);
    expect(time).toBeGreaterThan(before);
    expect(time).toBeLessThan(before + 10_000_000_000n);
  });

  test("has a clock that does not go back", () => {
    const wasi = host();
    call(wasi, "clock_time_get", 1, 0n, 0);
    call(wasi, "clock_time_get", 1, 0n, 8);
    const view = new DataView(wasi.buffer);
    expect(view.getBigUint64(8, true)).toBeGreaterThanOrEqual(view.getBigUint64(0, true));
  });

  test("has no CPU clocks, and checks the address", () => {
    expect(call(host(), "clock_time_get", 2, 0n, 0)).toBe(NOT_SUPPORTED);
    expect(call(host(), "clock_time_get", 0, 0n, BAD)).toBe(FAULT);
    expect(call(host(), "clock_res_get", 2, 0)).toBe(NOT_SUPPORTED);
    expect(call(host(), "clock_res_get", 1, 0)).toBe(SUCCESS);
  });
});

describe("poll_oneoff()", () => {
  test("answers at once that nothing has happened", () => {
    const wasi = host();
    wasi.memory.writeU32(8, 7);
    expect(call(wasi, "poll_oneoff", 100, 200, 1, 8)).toBe(SUCCESS);
    expect(wasi.memory.readU32(8)).toBe(0);
    expect(call(wasi, "poll_oneoff", 100, 200, 1, BAD)).toBe(FAULT);
  });
});

describe("random_get()", () => {
  test("fills the window and nothing beside it", () => {
    const wasi = host();
    expect(call(wasi, "random_get", 100, 1000)).toBe(SUCCESS);
    expect(new Set(wasi.memory.copy(100, 1000)).size).toBeGreaterThan(100);
    expect(wasi.memory.copy(0, 100)).toEqual(new Uint8Array(100));
    expect(wasi.memory.copy(1100, 100)).toEqual(new Uint8Array(100));
  });

  test("refuses more than 64 KiB and a bad address", () => {
    expect(call(host(), "random_get", 0, 65_537)).toBe(INVALID);
    expect(call(host(), "random_get", 0, -1)).toBe(INVALID);
    expect(call(host(), "random_get", BAD, 100)).toBe(FAULT);
  });
});

describe("proc_exit()", () => {
  test("does not return", () => {
    expect(() => call(host(), "proc_exit", 7)).toThrow(new GuestExit(7));
  });
});

function host(environment: Record<string, string> = {}) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const printed: string[] = [];
  return {
    memory: new GuestMemory(memory),
    buffer: memory.buffer,
    environment,
    printed,
    beginHostCall() {},
    print: (fd: 1 | 2, text: string) => void printed.push(`${fd} ${text}`),
    exit(code: number): never {
      throw new GuestExit(code);
    },
  };
}

function call(
  wasi: ReturnType<typeof host>,
  name: string,
  ...args: (number | bigint)[]
): number | void {
  const body = wasiImports(wasi)["wasi_snapshot_preview1"]?.[name];
  return (body as unknown as (...args: (number | bigint)[]) => number | void)(...args);
}

function put(wasi: ReturnType<typeof host>, ptr: number, text: string): void {
  wasi.memory.write(ptr, new TextEncoder().encode(text));
}

function iovecs(wasi: ReturnType<typeof host>, at: number, ...list: [number, number][]): void {
  for (const [index, [ptr, byteLength]] of list.entries()) {
    wasi.memory.writeU32(at + 8 * index, ptr);
    wasi.memory.writeU32(at + 8 * index + 4, byteLength);
  }
}
