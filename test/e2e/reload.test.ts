import { describe, expect, test } from "bun:test";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { wat } from "../../src/abi/proxy-wasm/testing.ts";
import { DEFAULT_FRONT, withFront } from "./support/default-front.ts";
import { type Gateway, startGateway, until } from "./support/gateway.ts";
import { request } from "./support/fronts.ts";
import { startLoad } from "./support/load.ts";
import { RawConnection } from "./support/raw-client.ts";

/** A gateway whose one route answers with the header X-Version: VERSION. */
function versioned(value: string, more = ""): string {
  return withFront(`
listen: 127.0.0.1:0
workers: 2
drain: 10s
routes:
  - id: all
    uri: /*
    plugins: [{ add-header: { name: X-Version, value: "${value}", on: response } }]
    upstream: { nodes: { "builtin:httpbin": 1 } }
${more}`);
}

/** A gateway whose one route is for that host. */
function hosting(host: string, more = ""): string {
  return `
listen: 127.0.0.1:0
workers: 1
routes:
  - { id: all, uri: /*, hosts: [${host}], upstream: { nodes: { "builtin:httpbin": 1 } } }
${more}`;
}

async function version(gateway: Gateway): Promise<string | null> {
  return (await gateway.fetch("/get")).headers.get("x-version");
}

/** Waits until every worker answers with it: a new connection may go to either. */
async function serves(gateway: Gateway, expected: string): Promise<void> {
  await until(
    () => Promise.all(Array.from({ length: 8 }, () => version(gateway))),
    (got) => got.every((one) => one === expected),
  );
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** A Proxy-Wasm module that adds one response header, made by the test. */
function moduleAdding(name: string, value: string): Uint8Array {
  return wat(
    `(module
      (import "env" "proxy_add_header_map_value"
        (func $add (param i32 i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "${name}${value}")
      (func (export "proxy_abi_version_0_2_1"))
      (func (export "malloc") (param i32) (result i32) (i32.const 1024))
      (func (export "proxy_on_context_create") (param i32 i32))
      (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
        (drop (call $add (i32.const 2) (i32.const 0) (i32.const ${name.length})
          (i32.const ${name.length}) (i32.const ${value.length})))
        (i32.const 0)))`,
  );
}

describe("hot reload of gateway.yaml", () => {
  test("meets requests that are remembered with its own routes and limits", async () => {
    await using gateway = await startGateway(hosting("a.test"));
    using raw = await RawConnection.open(gateway.port);
    let asked = 0;
    const ask = async (): Promise<number | undefined> => {
      await raw.write(request("GET /get", [`X-Long: ${"long".repeat(300)}`]));
      return (await raw.responses(++asked)).at(-1)?.status;
    };
    // Often enough for all that is remembered of a request.
    for (let times = 0; times < 5; times++) expect(await ask()).toBe(200);
    expect(await gateway.reload(hosting("b.test"))).toBe("reloaded");
    expect(await ask()).toBe(404);
    expect(await gateway.reload(hosting("a.test"))).toBe("reloaded");
    expect(await ask()).toBe(200);
    const tight = "limits: { request_headers: 1KiB }";
    expect(await gateway.reload(hosting("a.test", tight))).toBe("reloaded");
    expect(await ask()).toBe(431);
  });

  test("takes over an edit in place, a rename over it, and delete and create", async () => {
    await using gateway = await startGateway(versioned("1"));
    await serves(gateway, "1");
    const file = join(gateway.folder, "gateway.yaml");

    await Bun.write(file, versioned("2"));
    await serves(gateway, "2");

    await Bun.write(`${file}.new`, versioned("3"));
    await rename(`${file}.new`, file);
    await serves(gateway, "3");

    await rm(file);
    await gateway.logged(/reload refused/);
    expect(await version(gateway)).toBe("3");
    await Bun.write(file, versioned("4"));
    await serves(gateway, "4");
  });

  test("follows the symlink swap of a Kubernetes ConfigMap, again and again", async () => {
    await using gateway = await startGateway(versioned("0"));
    const { folder } = gateway;
    const place = async (n: string): Promise<void> => {
      await mkdir(join(folder, `..${n}`));
      await Bun.write(join(folder, `..${n}`, "gateway.yaml"), versioned(n));
      await symlink(`..${n}`, join(folder, "..data_tmp"));
      await rename(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    await place("1");
    await symlink("..data/gateway.yaml", join(folder, "gateway.yaml.link"));
    await rename(join(folder, "gateway.yaml.link"), join(folder, "gateway.yaml"));
    await serves(gateway, "1");
    for (const n of ["2", "3", "4"]) {
      await place(n);
      await serves(gateway, n);
    }
  });

  test("refuses what is broken with its diagnostics, and goes on", async () => {
    await using gateway = await startGateway(versioned("1"));
    for (const [broken, message] of [
      ["listen: [127.0.0.1:0", /CONFIG_YAML|YAML/],
      [versioned("2", "chekcs: {}"), /chekcs/],
      [versioned("2").replace("add-header:", "add-haeder:"), /did you mean "add-header"/],
    ] as const) {
      const from = gateway.lines.length;
      expect(await gateway.reload(broken)).toBe("refused");
      expect(gateway.lines.slice(from).join("\n")).toMatch(message);
      expect(gateway.lines.slice(from).join("\n")).toMatch(/gateway\.yaml:\d+:\d+: error: /);
      await serves(gateway, "1");
    }
    expect(await gateway.reload(versioned("5"))).toBe("reloaded");
    await serves(gateway, "5");
  });

  test("reloads on SIGHUP", async () => {
    await using gateway = await startGateway(versioned("1"));
    gateway.child.kill("SIGHUP");
    expect(await gateway.logged(/ reloaded /)).toContain("reason=SIGHUP");
  });

  test("lets an exchange finish on the generation that it began with", async () => {
    await using gateway = await startGateway(versioned("1"));
    await serves(gateway, "1");
    const slow = gateway.fetch("/delay/2");
    // The response filter of the old generation runs after the new one serves.
    await Bun.write(join(gateway.folder, "gateway.yaml"), versioned("2"));
    await serves(gateway, "2");
    expect((await slow).headers.get("x-version")).toBe("1");
  });

  test("opens and closes listeners with the configuration", async () => {
    await using gateway = await startGateway(versioned("1"));
    const first = gateway.port;
    const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { port } = probe;
    probe.stop(true);
    const moved = versioned("2").replace("127.0.0.1:0", `127.0.0.1:${port}`);
    expect(await gateway.reload(moved)).toBe("reloaded");
    const response = await fetch(`http://127.0.0.1:${port}/get`);
    expect(response.headers.get("x-version")).toBe("2");
    await until(() => fetch(`http://127.0.0.1:${first}/get`).then(isFalse, isTrue), Boolean);
  });

  test("changes the front and the interface of a port that it has", async () => {
    await using gateway = await startGateway(versioned("1"));
    const { port } = gateway;
    for (const [n, listen] of [
      ["2", `{ address: "127.0.0.1:${port}", front: serve }`],
      ["3", `0.0.0.0:${port}`],
      ["4", `{ address: "127.0.0.1:${port}", front: http1 }`],
    ] as const) {
      expect(await gateway.reload(versioned(n).replace(/^listen: .*$/m, `listen: ${listen}`))).toBe(
        "reloaded",
      );
      await until(
        () => fetch(`http://127.0.0.1:${port}/get`).then((got) => got.headers.get("x-version")),
        (got) => got === n,
      );
    }
  });

  test("refuses a listener whose port is taken, and goes on", async () => {
    await using gateway = await startGateway(versioned("1"));
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const from = gateway.lines.length;
    const yaml = versioned("2").replace("127.0.0.1:0", `127.0.0.1:${taken.port}`);
    expect(await gateway.reload(yaml)).toBe("refused");
    expect(gateway.lines.slice(from).join("\n")).toContain(`127.0.0.1:${taken.port}`);
    await serves(gateway, "1");
    taken.stop(true);
  });

  test("changes the number of workers", async () => {
    await using gateway = await startGateway(versioned("1"));
    expect(gateway.workers()).toHaveLength(2);
    expect(await gateway.reload(versioned("2").replace("workers: 2", "workers: 3"))).toBe(
      "reloaded",
    );
    expect(gateway.workers()).toHaveLength(3);
    expect(await gateway.reload(versioned("3").replace("workers: 2", "workers: 1"))).toBe(
      "reloaded",
    );
    await until(() => gateway.workers().length === 1, Boolean);
    await serves(gateway, "3");
  });
});

describe("hot swap of a plugin", () => {
  const yaml = versioned("-").replace(/plugins:.*/, "plugins: [stamp]");

  test("takes a new module over, and refuses a broken one", async () => {
    const files = { "plugins/stamp.wasm": moduleAdding("x-version", "one") };
    await using gateway = await startGateway(yaml, { files });
    await serves(gateway, "one");
    const file = join(gateway.folder, "plugins/stamp.wasm");

    await Bun.write(file, moduleAdding("x-version", "two"));
    await serves(gateway, "two");

    const whole = moduleAdding("x-version", "three");
    const from = gateway.lines.length;
    await Bun.write(file, whole.subarray(0, whole.length - 10));
    await gateway.logged(/reload refused/, from);
    expect(await version(gateway)).toBe("two");
    await Bun.write(file, whole);
    await serves(gateway, "three");
  });
});

function withStamp(n: string): string {
  return versioned(n).replace("plugins: [", "plugins: [stamp, ");
}

/** The other front's connections end and begin in the same way: fewer edits show it. */
const EDITS = DEFAULT_FRONT === "http1" ? 200 : 40;

describe(`${EDITS} edits under load`, () => {
  test("lose no request, and the last valid state serves", async () => {
    const [even, odd] = [moduleAdding("x-stamp", "even"), moduleAdding("x-stamp", "odd")];
    await using gateway = await startGateway(withStamp("start"), {
      files: { "plugins/stamp.wasm": even },
    });
    const load = startLoad(gateway.url("/get"), {
      connections: 8,
      isGood: (response) =>
        response.status === 200 &&
        /^(start|\d+)$/.test(response.headers.get("x-version") ?? "") &&
        /^(even|odd)$/.test(response.headers.get("x-stamp") ?? ""),
    });
    const yamlFile = join(gateway.folder, "gateway.yaml");
    const pluginFile = join(gateway.folder, "plugins/stamp.wasm");
    let edits = 0;
    for (let n = 0; n < EDITS / 2; n++) {
      const from = gateway.lines.length;
      const broken = n % 5 === 4;
      await Bun.write(
        yamlFile,
        broken ? `${withStamp(String(n))}\nnonsense: [` : withStamp(String(n)),
      );
      const module = n % 2 === 0 ? odd : even;
      await Bun.write(pluginFile, n % 7 === 6 ? module.subarray(0, 40) : module);
      edits += 2;
      // Each pair is taken over or refused before the next: edits that follow too fast are one.
      await gateway.logged(/ (reloaded|reload refused)/, from);
    }
    expect(edits).toBe(EDITS);
    await Bun.write(pluginFile, odd);
    await Bun.write(yamlFile, withStamp("1000"));
    await serves(gateway, "1000");
    await until(
      async () => (await gateway.fetch("/get")).headers.get("x-stamp"),
      (stamp) => stamp === "odd",
    );
    await load.stop();
    expect(load.bad).toEqual([]);
    expect(load.good).toBeGreaterThan(EDITS * 10);
    const count = (text: string): number =>
      gateway.lines.filter((line) => line.includes(text)).length;
    expect(count("unexpectedly")).toBe(0);
    expect(count(" reload refused")).toBeGreaterThan(EDITS / 10);
    expect(count(" reloaded ")).toBeGreaterThan(EDITS / 4);
  }, 120_000);
});
