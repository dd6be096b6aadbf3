import { expect, test } from "bun:test";
import { startGateway } from "./support/gateway.ts";

/** So many routes: /anything/0, /anything/1, … */
function yaml(routes: number): string {
  const uris = Array.from({ length: routes }, (_, n) => `/anything/${n}`);
  return `
listen: 127.0.0.1:0
workers: 2
upstreams: [{ id: app, nodes: { "builtin:httpbin": 1 } }]
routes:
${uris.map((uri) => `  - { uri: ${uri}, upstream_id: app }`).join("\n")}
`;
}

// How long it takes is a question for bench/gateway.bench.ts, not for a test.
test("a reload takes over 10,000 routes, the first and the last of them served", async () => {
  await using gateway = await startGateway(yaml(1));
  const status = async (n: number): Promise<number> =>
    (await gateway.fetch(`/anything/${n}`)).status;
  expect([await status(0), await status(9999)]).toEqual([200, 404]);
  expect(await gateway.reload(yaml(10_000))).toBe("reloaded");
  expect([await status(0), await status(9999), await status(10_000)]).toEqual([200, 200, 404]);
});
