import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeaderList } from "../../http/headers.ts";
import { loadModule } from "../../wasm/module.ts";
import { inspectModule } from "../inspect.ts";
import { startPlugin } from "./plugin.ts";
import { FakeFilterHost, FakePluginHost, TEST_SETTINGS } from "./testing.ts";
import { startFilter } from "../../filter/testing.ts";

const ROOT = join(import.meta.dir, "../../..");
const bytes = await Bun.file(join(ROOT, "plugins/add-header.wasm")).bytes();

describe("add-header.wasm", () => {
  test("is what its source compiles to, byte for byte", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-plugins-"));
    try {
      const build = Bun.spawn([join(ROOT, "plugins/build.sh"), folder], { stderr: "pipe" });
      expect(await new Response(build.stderr).text()).toBe("");
      expect(await build.exited).toBe(0);
      const compiled = await Bun.file(join(folder, "add-header.wasm")).bytes();
      expect(compiled.toHex()).toBe(bytes.toHex());
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);

  test("has no problems and is small", () => {
    expect(inspectModule(bytes).problems).toEqual([]);
    expect(bytes.byteLength).toBeLessThan(8192);
  });

  test("adds the header to request and response, spelled as configured", () => {
    const { filterHost } = run({ name: "X-Wasm-Added", value: "True" });
    expect([...filterHost.request.headers]).toEqual([
      ["Accept", "*/*"],
      ["X-Wasm-Added", "True"],
    ]);
    expect([...(filterHost.response?.headers ?? [])]).toEqual([["X-Wasm-Added", "True"]]);
  });

  test.each([
    { on: "request", request: true, response: false },
    { on: "response", request: false, response: true },
    { on: "both", request: true, response: true },
  ])('adds it where "on" says: $on', ({ on, request, response }) => {
    const { filterHost } = run({ name: "a", value: "b", on });
    expect(filterHost.request.headers.has("a")).toBe(request);
    expect(filterHost.response?.headers.has("a")).toBe(response);
  });

  test("reads escapes, spaces and UTF-8", () => {
    const json =
      ' {\n"name" : "X-\\u0041" ,\t"value":"\\"q\\" \\\\ \\/ \\u00e9 ö \\ud83d\\ude00"\r} ';
    const { filterHost } = run(json);
    const value = filterHost.request.headers.get("x-a") ?? "";
    expect(Buffer.from(value, "latin1").toString("utf8")).toBe('"q" \\ / é ö 😀');
  });

  test("takes part in headers only", () => {
    expect(run({ name: "a", value: "b" }).plugin.callbacks).toBe(1 | 8);
  });

  test("does not use up its memory", () => {
    const { plugin } = run({ name: "a", value: "b" });
    // Its maximum is 1 MiB and nothing is ever freed: 60 bytes a request would trap.
    for (let n = 0; n < 20_000; n++) exchange(plugin);
    expect(exchange(plugin).request.headers.has("a")).toBe(true);
  });
});

describe("add-header.wasm errors", () => {
  test.each([
    { json: "", why: "an object is expected" },
    { json: "[]", why: "an object is expected" },
    { json: "{}", why: 'the key "name" is missing' },
    { json: '{"name":"a"}', why: 'the key "value" is missing' },
    { json: '{"name":"a","value":1}', why: "a string is expected" },
    { json: '{"name":"a","value":"b"', why: "a comma or the end of the object is expected" },
    { json: '{"name":"a","value":"b",}', why: "a string is expected" },
    { json: '{"name":"a","value":"b"} x', why: "nothing may follow the object" },
    { json: '{"name" "a"}', why: "a colon is expected" },
    { json: '{"name":"a\n"}', why: "a string holds a control character" },
    { json: '{"name":"a', why: "a string does not end" },
    { json: '{"name":"a\\', why: "an escape is unknown" },
    { json: '{"name":"\\x"}', why: "an escape is unknown" },
    { json: '{"name":"\\u12"}', why: "a \\u escape is not a character" },
    { json: '{"name":"\\ud800"}', why: "a \\u escape is not a character" },
    { json: '{"name":"\\ud800\\u0041"}', why: "a \\u escape is not a character" },
    { json: '{"name":"\\udc00"}', why: "a \\u escape is not a character" },
    { json: '{"name":"","value":"b"}', why: '"name" is not the name of a header' },
    { json: '{"name":"a b","value":"b"}', why: '"name" is not the name of a header' },
    { json: '{"name":"a","value":"b\\r\\nc: d"}', why: '"value" holds a control character' },
    { json: '{"name":"a","value":"b","on":"never"}', why: '"on" is neither' },
    { json: '{"name":"a","value":"b","nmae":"c"}', why: 'a key is none of "name"' },
    { json: '{"name":"a","name":"b"}', why: "a key is given twice" },
  ])("refuses $json and says why", ({ json, why }) => {
    expect(() => run(json)).toThrow(`The configuration is refused: ${why}`);
  });
});

function run(configuration: string | object) {
  const host = new FakePluginHost();
  const json = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  host.configuration = new TextEncoder().encode(json);
  const plugin = startPlugin(
    loadModule(bytes, { memoryPages: 64, fuel: false }),
    host,
    TEST_SETTINGS,
  );
  return { plugin, filterHost: exchange(plugin) };
}

function exchange(plugin: ReturnType<typeof startPlugin>): FakeFilterHost {
  const filterHost = new FakeFilterHost();
  const filter = startFilter(plugin, filterHost);
  expect(filter.onRequestHeaders(true)).toBe("continue");
  filterHost.response = { status: 200, headers: new HeaderList() };
  expect(filter.onResponseHeaders(true)).toBe("continue");
  filter.onEnd();
  return filterHost;
}
