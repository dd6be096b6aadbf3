/**
 * Guests that must not start: `validate` tells of each, `run` does not begin, and a reload that
 * brings one is refused while honest clients notice nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Gateway, sluice, until } from "../e2e/support/gateway.ts";
import { assemble } from "./assemble.ts";
import { REFUSED, type RefusedGuest } from "./guests/start.ts";
import { HonestClients } from "./honest-clients.ts";
import { honestRequests, hostileYaml, startHostileGateway } from "./hostile-gateway.ts";

const nameOf = ({ name }: RefusedGuest): string =>
  name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

/** A configuration with these guests, of which each gets 10 ms for each step of its start. */
function yamlOf(guests: readonly RefusedGuest[]): string {
  const names = guests.map(nameOf);
  return hostileYaml({
    upstreams: "",
    plugins: names.map((name) => `    - { name: ${name}, limits: { start: 10ms } }`).join("\n"),
    routes: names
      .map((name) => `  - { host: ${name}.test, uri: /*, plugins: [${name}], upstream_id: bin }`)
      .join("\n"),
  });
}

const MODULES = Object.fromEntries(REFUSED.map((guest) => [nameOf(guest), assemble(guest.wat)]));

describe("sluice validate and run", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-hostile-"));
    const addHeader = Bun.file(join(import.meta.dir, "../../plugins/add-header.wasm"));
    await Bun.write(join(folder, "plugins/add-header.wasm"), addHeader);
    for (const [name, bytes] of Object.entries(MODULES)) {
      await Bun.write(join(folder, `plugins/${name}.wasm`), bytes);
    }
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([...REFUSED])("refuse $name", async (guest) => {
    await Bun.write(join(folder, "gateway.yaml"), yamlOf([guest]));
    const validated = await sluice(["validate"], { cwd: folder });
    expect(validated.stderr).toContain(`"${nameOf(guest)}"`);
    expect(validated.stderr).toMatch(new RegExp(guest.says));
    expect(validated.code).toBe(1);
  });

  test("do not begin with any of them, and tell of each", async () => {
    const starting = REFUSED.filter(({ refusedUnstarted }) => !refusedUnstarted);
    await Bun.write(join(folder, "gateway.yaml"), yamlOf(starting));
    const { code, stderr } = await sluice(["run"], { cwd: folder });
    for (const guest of starting) expect(stderr).toContain(`"${nameOf(guest)}"`);
    expect(stderr).not.toContain("listening");
    expect(code).toBe(1);
  });
});

describe("a reload", () => {
  let gateway: Gateway;
  let honest: HonestClients;
  let workers: number[];

  beforeAll(async () => {
    const parts = { routes: "", plugins: "", upstreams: "" };
    gateway = await startHostileGateway({ ...parts, modules: MODULES });
    workers = gateway.workers();
    honest = HonestClients.start(gateway.port, honestRequests());
  });

  afterAll(async () => {
    await honest.stop();
    await gateway[Symbol.asyncDispose]();
  });

  test.each([...REFUSED])(
    "with $name is refused, and honest clients do not notice",
    async (guest) => {
      const from = gateway.lines.length;
      const answered = honest.answered;
      expect(await gateway.reload(yamlOf([guest]))).toBe("refused");
      expect(gateway.lines.slice(from).join("\n")).toMatch(new RegExp(guest.says));
      while (honest.answered < answered + 20 && honest.problems.length === 0) await Bun.sleep(10);
      expect(honest.problems).toEqual([]);
      // The process that has tried the reload may take a moment to end.
      await until(
        () => gateway.workers(),
        (pids) => pids.join() === workers.join(),
      );
    },
  );
});
