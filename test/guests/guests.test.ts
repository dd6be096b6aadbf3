import { describe, expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { StreamContext } from "../../src/abi/proxy-wasm/context.ts";
import { GuestLog } from "../../src/abi/proxy-wasm/guest-log.ts";
import { Metrics } from "../../src/abi/proxy-wasm/metrics.ts";
import { startPlugin } from "../../src/abi/proxy-wasm/plugin.ts";
import { FakeFilterHost, FakePluginHost } from "../../src/abi/proxy-wasm/testing.ts";
import { startGuest } from "../../src/abi/proxy-wasm/start.ts";
import { VmScopes } from "../../src/abi/proxy-wasm/vm-scope.ts";
import { inspectModule } from "../../src/abi/inspect.ts";
import type { FilterHost, Plugin } from "../../src/filter/filter.ts";
import { HeaderList } from "../../src/http/headers.ts";
import { loadModule } from "../../src/wasm/module.ts";

const LANGUAGES = ["c", "rust", "go"] as const;
const MODULES = LANGUAGES.flatMap((language) => [
  `${language}/add-header.wasm`,
  `${language}/read-headers.wasm`,
]);

/** Bytes of memory: what a bench that names the language stands for. */
const MEMORY_MAX: Record<string, number> = { c: 2 << 16, rust: 18 << 16, go: 16 << 20 };

describe.each(LANGUAGES)("the guests in %s", (language) => {
  test("are built from the sources beside them", async () => {
    const folder = join(import.meta.dir, language);
    const lines = (await Bun.file(join(folder, "sha256sums")).text()).trim().split("\n");
    const listed = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
    const found = [...new Glob("**/*").scanSync(folder)].filter((path) => path !== "sha256sums");
    expect([...listed.keys()].toSorted()).toEqual(found.toSorted());
    for (const path of found) {
      const sum = new Bun.CryptoHasher("sha256").update(await Bun.file(join(folder, path)).bytes());
      // After a change: test/guests/build.sh LANGUAGE.
      expect(`${path} ${sum.digest("hex")}`).toBe(`${path} ${listed.get(path)}`);
    }
  });

  test("add a header each way", async () => {
    const { plugin } = await start(`${language}/add-header.wasm`, " x-tenant :  blue \n");
    const { request, response } = exchange(plugin);
    expect(request.headers.get("x-tenant")).toBe("blue");
    expect(response?.headers.get("x-guest")).toBe(language);
    plugin.close();
  });

  test("read and count all headers, for each exchange its own", async () => {
    const { plugin } = await start(`${language}/read-headers.wasm`, "x-sum");
    const before = bytesSaid(plugin, "x-sum", []);
    // The lengths of :method GET, :scheme http, :authority example.com, :path /a?b=c, accept */*.
    expect(before).toBe(10 + 11 + 21 + 11 + 9);
    const one = begin(plugin, [["X-More", "é".repeat(3)]]);
    const other = begin(plugin, [["x-other", ""]]);
    expect(end(one, "x-sum")).toBe(before + 6 + 3);
    expect(end(other, "x-sum")).toBe(before + 7);
    plugin.close();
  });

  test("count into x-header-bytes when they are not told otherwise", async () => {
    const { plugin } = await start(`${language}/read-headers.wasm`, "");
    expect(bytesSaid(plugin, "x-header-bytes", [])).toBeGreaterThan(0);
    plugin.close();
  });

  test.each(["", "no colon", " : value"])("refuse %j as a header and say why", async (text) => {
    expect(start(`${language}/add-header.wasm`, text)).rejects.toThrow("it is not NAME: VALUE");
  });
});

describe.each(MODULES)("%s", (path) => {
  test("has no problems", async () => {
    expect(inspectModule(await bytesOf(path)).problems).toEqual([]);
  });

  test("does not grow", async () => {
    const guest = startGuest(loadModule(await bytesOf(path)), resources("x-a: b"));
    const create = (host: FilterHost) => StreamContext.create(guest, host);
    const headers = Array.from({ length: 20 }, (_, n): [string, string] => [
      `x-${n}`,
      "v".repeat(50),
    ]);
    for (let n = 0; n < 1000; n++) end(begin({ createFilter: create }, headers), "");
    const { byteLength } = guest.memory;
    // A reader that leaks takes 1 MB in these.
    for (let n = 0; n < 1000; n++) end(begin({ createFilter: create }, headers), "");
    expect(guest.memory.byteLength).toBe(byteLength);
    expect(byteLength).toBeLessThanOrEqual(MEMORY_MAX[path.split("/")[0] ?? ""] ?? 0);
  });
});

async function bytesOf(path: string): Promise<Uint8Array> {
  return Bun.file(join(dirname(import.meta.path), path)).bytes();
}

async function start(path: string, configuration: string) {
  const host = new FakePluginHost();
  host.configuration = new TextEncoder().encode(configuration);
  return { host, plugin: startPlugin(loadModule(await bytesOf(path)), host) };
}

function begin(
  plugin: Pick<Plugin, "createFilter">,
  headers: readonly (readonly [string, string])[],
) {
  const host = new FakeFilterHost();
  for (const [name, value] of headers) host.request.headers.append(name, value);
  const filter = plugin.createFilter(host);
  expect(filter.onRequestHeaders(true)).toBe("continue");
  return { host, filter };
}

/** @returns the number in that header of the response */
function end({ host, filter }: ReturnType<typeof begin>, name: string): number {
  host.response = { status: 200, headers: new HeaderList() };
  expect(filter.onResponseHeaders(true)).toBe("continue");
  filter.onEnd();
  return Number(host.response.headers.get(name) ?? Number.NaN);
}

function bytesSaid(plugin: Plugin, name: string, headers: [string, string][]): number {
  return end(begin(plugin, headers), name);
}

function exchange(plugin: Plugin): FakeFilterHost {
  const begun = begin(plugin, []);
  end(begun, "");
  return begun.host;
}

function resources(configuration: string) {
  const host = new FakePluginHost();
  host.configuration = new TextEncoder().encode(configuration);
  const log = new GuestLog(host, () => 0);
  return { host, log, metrics: new Metrics(), scope: new VmScopes().acquire("vm") };
}
