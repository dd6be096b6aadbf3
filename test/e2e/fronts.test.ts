/** That the end-to-end tests run on both fronts: support/run-once.ts says which do not, and why. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { DEFAULT_FRONT, withFront } from "./support/default-front.ts";
import { startGateway } from "./support/gateway.ts";
import { sendRaw } from "./support/raw-client.ts";
import { BOTH, RUN_ONCE, runTwice, testFiles } from "./support/run-once.ts";

const files = testFiles("test/e2e").map((path) => path.slice("test/e2e/".length));

describe("RUN_ONCE", () => {
  test("names files that there are", () => {
    expect(Object.keys(RUN_ONCE).filter((file) => !files.includes(file))).toEqual([]);
  });

  test.each(Object.keys(RUN_ONCE).filter((file) => RUN_ONCE[file] === BOTH))(
    "%s runs its tests on both fronts by itself",
    async (file) => {
      const text = await Bun.file(join(import.meta.dir, file)).text();
      expect(text).toMatch(/\.each\(FRONTS\)|of FRONTS\b|FRONTS\.map\(/);
      expect(text).not.toMatch(/^listen: 127/m);
    },
  );

  test("leaves all others to the second pass, whole folders or single files", () => {
    const again = files.filter((file) => !(file in RUN_ONCE)).map((file) => `test/e2e/${file}`);
    expect(again.length).toBeGreaterThan(10);
    expect(runTwice(["./test/e2e", "test/e2e/grpc.test.ts"])).toEqual(again);
    expect(runTwice(["./test/e2e/grpc.test.ts"])).toEqual(["test/e2e/grpc.test.ts"]);
    expect(runTwice(["test/e2e/image.test.ts", "./test/hostile"])).toEqual([]);
  });

  test.each(runTwice(["test/e2e"]))("%s lets the pass choose the front", async (file) => {
    const text = await Bun.file(join(import.meta.dir, "../..", file)).text();
    expect(text).toContain("startGateway(");
    const listeners = text.match(/^.*\blisten: .*$/gm) ?? [];
    expect(listeners.filter((line) => /^ *listen: (?!127\.0\.0\.1:)/.test(line))).toEqual([]);
    // A file that it writes by itself would change the front in the middle of a test.
    if (/write\([^;]*"gateway.yaml"\)/.test(text)) expect(text).toContain("withFront(");
  });
});

describe("withFront()", () => {
  const yaml = "# a\nlisten: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n";

  test("puts the listener, and not the status port, on that front", () => {
    expect(withFront(yaml, "serve")).toBe(
      yaml.replace("listen: 127.0.0.1:0", 'listen: { address: "127.0.0.1:0", front: serve }'),
    );
  });

  test("leaves alone what auto stands for, and what names its front", () => {
    const named = "listen: { address: 127.0.0.1:0, front: http1 }\n";
    expect(withFront(yaml, "http1")).toBe(yaml);
    expect(withFront(named, "serve")).toBe(named);
  });
});

describe("startGateway()", () => {
  test("starts it on the front of this pass", async () => {
    await using gateway = await startGateway(`
listen: 127.0.0.1:0
workers: 1
routes: [{ id: all, uri: /*, upstream: { nodes: { "builtin:httpbin": 1 } } }]
`);
    const { text } = await sendRaw(gateway.port, "GET /get\r\n\r\n");
    expect(text).toStartWith(DEFAULT_FRONT === "http1" ? "HTTP/1.1 400 " : "HTTP/1.1 505 ");
  });
});
