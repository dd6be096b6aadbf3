import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startGateway } from "./support/gateway.ts";

const MODULE = join(import.meta.dir, "../guests/rust-sdk/examples.wasm");

describe.each(["shared", "per_request"])("a filter on the SDK for Rust, %s", (instances) => {
  test("lets the status of a gRPC call decide", async () => {
    await using server = await startGrpcServer();
    await using gateway = await startGateway(yaml(server.address, instances));
    for (let n = 0; n < 5; n++) {
      const passed = await gateway.fetch("/pass");
      expect(passed.status).toBe(200);
      expect(passed.headers.get("x-gate")).toBe("rust");
      const headers = { "content-type": "application/grpc" };
      const denied = await gateway.fetch("/deny", { headers });
      expect(denied.headers.get("grpc-status")).toBe("10");
      expect(denied.headers.get("grpc-message")).toBe("May not pass");
      expect(denied.headers.get("x-gate")).toBe("rust");
      expect((await gateway.fetch("/gone")).headers.get("grpc-status")).toBe("10");
      expect((await gateway.fetch("/nobody")).headers.get("grpc-status")).toBe("10");
    }
    await gateway.logged(/May pass: let me in/);
    await gateway.logged(/May not pass: status 7, not today/);
    await gateway.logged(/May not pass: status 14/);
    await gateway.logged(/May not pass: the call was refused/);
  });
});

function yaml(address: string, instances: string): string {
  const uses = {
    pass: "grpc gate Unary let me in",
    deny: "grpc gate Fail 7 not today",
    gone: "grpc gone Unary let me in",
    nobody: "grpc nobody Unary let me in",
  };
  const routes = Object.entries(uses).map(
    ([id, configuration]) => `
  - id: ${id}
    uri: /${id}
    plugins: [{ examples: ${configuration} }, { proxy-rewrite: { uri: /get } }]
    upstream: { nodes: { "builtin:httpbin": 1 } }`,
  );
  return `
listen: 127.0.0.1:0
workers: 1
upstreams:
  - { id: gate, nodes: { "${address}": 1 } }
  - { id: gone, nodes: { "127.0.0.1:1": 1 } }
wasm:
  plugins:
    - name: examples
      file: ${JSON.stringify(MODULE)}
      instances: ${instances}
      limits: { deadline: 2s, total: 10s }
      allow: { http_call: [gate, gone] }
routes:${routes.join("")}
`;
}
