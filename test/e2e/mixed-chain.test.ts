import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startGateway } from "./support/gateway.ts";
import { echoNode, type Echo } from "./support/nodes.ts";

const GUESTS = join(import.meta.dir, "../guests");

/** In the order in which they see a request. */
const CHAIN = [
  { name: "rust", file: "rust-sdk/examples.wasm", configuration: "append request , said Rust" },
  { name: "go", file: "go-sdk/examples.wasm", configuration: "append response , said Go" },
  { name: "handler", file: "http-wasm/add-header.wasm", configuration: "x-handler: it was here" },
  {
    name: "assemblyscript",
    file: "assemblyscript-sdk/examples.wasm",
    configuration: "config by AssemblyScript",
  },
] as const;

describe.each(["shared", "per_request"])("a chain of four languages and two ABIs, %s", (mode) => {
  test("works in one route, with bodies changed by two of them", async () => {
    await using node = echoNode();
    await using gateway = await startGateway(yaml(node.address, mode));
    await gateway.logged(/Hello from Rust/);
    await gateway.logged(/Hello from Go/);
    await gateway.logged(/Hello from http-wasm/);
    await gateway.logged(/Hello from AssemblyScript/);
    const body = "x".repeat(100_000);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        gateway.fetch(`/${n}`, { method: "POST", body: `${n} ${body}` }),
      ),
    );
    for (const [n, answer] of answers.entries()) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get("x-configured")).toBe("by AssemblyScript");
      expect(answer.headers.get("x-guest")).toBe("http-wasm");
      const text = await answer.text();
      expect(text.slice(-9)).toBe(", said Go");
      const echo = JSON.parse(text.slice(0, -9)) as Echo;
      expect(echo.target).toBe(`/${n}`);
      expect(echo.headers["x-handler"]).toBe("it was here");
      expect(echo.body).toBe(`${n} ${body}, said Rust`);
    }
    expect(node.requests).toBe(10);
  });
});

function yaml(node: string, instances: string): string {
  const declared = CHAIN.map(
    ({ name, file }) => `
    - name: ${name}
      file: ${JSON.stringify(join(GUESTS, file))}
      root_id: examples
      instances: ${instances}
      limits: { deadline: 2s, total: 10s }`,
  );
  const used = CHAIN.map(
    ({ name, configuration }) => `
      - ${name}: ${JSON.stringify(configuration)}`,
  );
  return `
listen: 127.0.0.1:0
workers: 1
wasm:
  plugins:${declared.join("")}
routes:
  - id: all
    uri: /*
    plugins:${used.join("")}
    upstream: { nodes: { "${node}": 1 } }
`;
}
