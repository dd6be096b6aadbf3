import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import { StreamContext } from "../../src/abi/proxy-wasm/context.ts";
import { GuestLog } from "../../src/abi/guest/guest-log.ts";
import { Health } from "../../src/abi/guest/health.ts";
import { Metrics } from "../../src/abi/proxy-wasm/metrics.ts";
import { startPlugin } from "../../src/abi/proxy-wasm/plugin.ts";
import { FakeFilterHost, FakePluginHost, TEST_SETTINGS } from "../../src/abi/proxy-wasm/testing.ts";
import { startGuest } from "../../src/abi/proxy-wasm/start.ts";
import { VmScopes } from "../../src/abi/proxy-wasm/vm-scope.ts";
import { inspectModule } from "../../src/abi/inspect.ts";
import type { FilterHost, Plugin } from "../../src/filter/filter.ts";
import { HeaderList } from "../../src/http/headers.ts";
import { type LoadedModule, loadModule } from "../../src/wasm/module.ts";

const LANGUAGES = ["c", "rust", "go"] as const;
const MODULES = LANGUAGES.flatMap((language) => [
  `${language}/add-header.wasm`,
  `${language}/read-headers.wasm`,
]);

const INSTANCES = ["shared", "per_request"] as const;
type Instances = (typeof INSTANCES)[number];

/** Modules with several filters in them, on the SDKs: test/e2e/languages.test.ts runs them. */
const SDKS = ["rust-sdk", "go-sdk", "assemblyscript-sdk"] as const;

/** Of 64 KiB: what each language stands for in the benchmarks. */
const PAGES_MAX: Record<string, number> = { c: 2, rust: 18, go: 256 };

describe.each([...LANGUAGES, ...SDKS, "http-wasm"])("the guests in %s", (language) => {
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
});

describe.each(LANGUAGES)("the guests in %s", (language) => {
  test.each(["", "no colon", " : value"])("refuse %j as a header and say why", async (text) => {
    const started = start(`${language}/add-header.wasm`, text, "shared");
    expect(started).rejects.toThrow("it is not NAME: VALUE");
  });
});

describe.each(LANGUAGES.flatMap((language) => INSTANCES.map((each) => [language, each] as const)))(
  "the guests in %s, %s",
  (language, instances) => {
    test("add a header each way", async () => {
      const plugin = await start(`${language}/add-header.wasm`, " x-tenant :  blue \n", instances);
      for (let n = 0; n < 3; n++) {
        const begun = await begin(plugin, []);
        end(begun, "");
        expect(begun.host.request.headers.get("x-tenant")).toBe("blue");
        expect(begun.host.response?.headers.get("x-guest")).toBe(language);
      }
      plugin.close();
    });

    test("read and count all headers, for each exchange its own", async () => {
      const plugin = await start(`${language}/read-headers.wasm`, "x-sum", instances);
      const plain = end(await begin(plugin, []), "x-sum");
      // The lengths of :method GET, :scheme http, :authority example.com, :path /a?b=c, accept */*.
      expect(plain).toBe(10 + 11 + 21 + 11 + 9);
      const one = await begin(plugin, [["X-More", "é".repeat(3)]]);
      const other = await begin(plugin, [["x-other", ""]]);
      expect(end(one, "x-sum")).toBe(plain + 6 + 3);
      expect(end(other, "x-sum")).toBe(plain + 7);
      plugin.close();
    });

    test("count into x-header-bytes when they are not told otherwise", async () => {
      const plugin = await start(`${language}/read-headers.wasm`, "", instances);
      expect(end(await begin(plugin, []), "x-header-bytes")).toBeGreaterThan(0);
      plugin.close();
    });
  },
);

describe.each(SDKS)("the guests on the SDK of %s", (sdk) => {
  test.each(["", "hallo 5", "append sideways text"])(
    "refuse %j as a configuration",
    async (text) => {
      const started = start(`${sdk}/examples.wasm`, text, "shared");
      expect(started).rejects.toThrow("it names none of these filters");
    },
  );

  test("have no problems", async () => {
    expect(inspectModule(await bytesOf(`${sdk}/examples.wasm`)).problems).toEqual([]);
  });
});

describe.each(MODULES)("%s", (path) => {
  test("has no problems", async () => {
    expect(inspectModule(await bytesOf(path)).problems).toEqual([]);
  });

  test("does not grow", async () => {
    const guest = startGuest(await load(path), resources("x-a: b"));
    const living = { createFilter: (host: FilterHost) => StreamContext.create(guest, host) };
    const headers = Array.from({ length: 20 }, (_, n) => [`x-${n}`, "v".repeat(50)] as const);
    for (let n = 0; n < 1000; n++) end(await begin(living, headers), "");
    const { pages } = guest.sandbox;
    // A reader that leaks takes 1 MB in these.
    for (let n = 0; n < 1000; n++) end(await begin(living, headers), "");
    expect(guest.sandbox.pages).toBe(pages);
    expect(pages).toBeLessThanOrEqual(PAGES_MAX[path.split("/")[0] ?? ""] ?? 0);
  });
});

async function bytesOf(path: string): Promise<Uint8Array> {
  return Bun.file(join(import.meta.dir, path)).bytes();
}

async function load(path: string): Promise<LoadedModule> {
  const { memoryPages } = TEST_SETTINGS.limits;
  return loadModule(await bytesOf(path), { memoryPages, fuel: false });
}

async function start(path: string, configuration: string, instances: Instances): Promise<Plugin> {
  const { host } = resources(configuration);
  return startPlugin(await load(path), host, { ...TEST_SETTINGS, instances });
}

function resources(configuration: string) {
  const host = new FakePluginHost();
  host.rootId = "examples";
  host.configuration = new TextEncoder().encode(configuration);
  const log = new GuestLog(host, () => 0);
  return {
    host,
    log,
    metrics: new Metrics(),
    scope: new VmScopes().acquire("vm"),
    settings: TEST_SETTINGS,
    health: new Health(TEST_SETTINGS.breaker, log, () => 0),
  };
}

async function begin(
  plugin: Pick<Plugin, "createFilter">,
  headers: readonly (readonly [string, string])[],
) {
  const host = new FakeFilterHost();
  for (const [name, value] of headers) host.request.headers.append(name, value);
  const filter = await plugin.createFilter(host);
  expect(filter.onRequestHeaders(true)).toBe("continue");
  return { host, filter };
}

/** @returns the number in that header of the response */
function end({ host, filter }: Awaited<ReturnType<typeof begin>>, name: string): number {
  host.response = { status: 200, headers: new HeaderList() };
  expect(filter.onResponseHeaders(true)).toBe("continue");
  filter.onEnd();
  return Number(host.response.headers.get(name) ?? Number.NaN);
}
