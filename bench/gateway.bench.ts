/**
 * Question: how long does a reload with 10, 1,000 and 10,000 routes take? Every run is shown, the
 * first one too: it is the one that an operator sees.
 * Not measured: files that need the complete YAML reader (anchors, tabs, CRLF); starts, which are
 * in start.bench.ts.
 */
import { type Gateway, startGateway } from "../test/e2e/support/gateway.ts";

const RUNS = 5;

/** So many routes, each of its own path, and /get, whose answer names the version. */
function yaml(routes: number, version: string): string {
  const lines = Array.from(
    { length: routes },
    (_, n) => `  - { id: r${n}, uri: /item${n}/*, upstream_id: app }`,
  );
  return `
listen: 127.0.0.1:0
workers: 2
upstreams: [{ id: app, nodes: { "builtin:httpbin": 1 } }]
routes:
${lines.join("\n")}
  - id: last
    uri: /get
    plugins: [{ add-header: { name: X-Version, value: "${version}", on: response } }]
    upstream_id: app
`;
}

/** @returns what the gateway's log says that it took, in ms */
async function reloadMs(gateway: Gateway, routes: number, version: string): Promise<number> {
  const from = gateway.lines.length;
  const verdict = await gateway.reload(yaml(routes, version));
  const got = (await gateway.fetch("/get")).headers.get("x-version");
  if (verdict !== "reloaded" || got !== version) {
    throw new Error(`Cannot trust this benchmark: ${verdict}, version ${got} and not ${version}`);
  }
  return tookMs(await gateway.logged(/ reloaded /, from));
}

function tookMs(line: string): number {
  return Number(/took_ms=(\d+)/.exec(line)?.[1]);
}

export async function check(size = 10): Promise<void> {
  await using gateway = await startGateway(yaml(1, "first"));
  await reloadMs(gateway, size, "second");
}

if (import.meta.main) {
  await check();
  const rows: string[] = [];
  for (const routes of [10, 1000, 10_000]) {
    await using gateway = await startGateway(yaml(1, "first"));
    const took: number[] = [];
    for (let n = 0; n < RUNS; n++) took.push(await reloadMs(gateway, routes, `v${n}`));
    rows.push(`| reload, ${routes} routes | ${took.join(", ")} |`);
  }
  process.stdout.write(`| what | ms, run by run |\n| --- | --- |\n${rows.join("\n")}\n`);
}
