import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startGateway } from "./support/gateway.ts";

const GUESTS = join(import.meta.dir, "../guests");
const LANGUAGES = ["c", "rust", "go"] as const;
const FILTERS = ["add-header", "read-headers"] as const;

/** All guests of test/guests/ in one chain, each language after the other. */
function yaml(instances: string): string {
  const each = LANGUAGES.flatMap((language) => FILTERS.map((filter) => ({ language, filter })));
  const declared = each.map(({ language, filter }) => {
    const file = JSON.stringify(join(GUESTS, language, `${filter}.wasm`));
    return `    - { name: ${language}-${filter}, file: ${file}, instances: ${instances} }`;
  });
  const used = LANGUAGES.flatMap((language) => [
    `      - ${language}-read-headers: x-bytes-${language}`,
    `      - ${language}-add-header: "x-from-${language}: yes, ${language}"`,
  ]);
  return `
listen: 127.0.0.1:0
workers: 1
wasm:
  plugins:
${declared.join("\n")}
routes:
  - id: all
    uri: /*
    plugins:
${used.join("\n")}
    upstream: { nodes: { "builtin:httpbin": 1 } }
`;
}

describe.each(["shared", "per_request"])("guests in C, Rust and Go, %s", (instances) => {
  test("work on requests and responses of a running gateway", async () => {
    await using gateway = await startGateway(yaml(instances));
    const plain = await bytesCounted(await gateway.fetch("/headers"));
    for (let n = 1; n <= 20; n++) {
      const response = await gateway.fetch("/headers", { headers: { "x-more": "v".repeat(n) } });
      expect(response.status).toBe(200);
      expect(response.headers.get("x-guest")?.split(", ").toSorted()).toEqual(["c", "go", "rust"]);
      // Rust's reader sees C's header, Go's sees both.
      expect(await bytesCounted(response)).toEqual(plain.map((bytes) => bytes + 6 + n));
    }
    const [c = 0, rust = 0, go = 0] = plain;
    expect(rust - c).toBe("x-from-cyes, c".length);
    expect(go - rust).toBe("x-from-rustyes, rust".length);
  });

  test("serve many exchanges at a time", async () => {
    await using gateway = await startGateway(yaml(instances));
    const [plain = 0] = await bytesCounted(await gateway.fetch("/headers"));
    const lengths = Array.from({ length: 200 }, (_, n) => n);
    const counted = await Promise.all(
      lengths.map(async (length) => {
        const headers = { "x-more": "v".repeat(length) };
        return (await bytesCounted(await gateway.fetch("/delay/0.05", { headers })))[0];
      }),
    );
    const fewer = "/headers".length - "/delay/0.05".length;
    expect(counted).toEqual(lengths.map((length) => plain - fewer + 6 + length));
  });
});

/** What each language's reader has counted; the upstream has got every header that was added. */
async function bytesCounted(response: Response): Promise<number[]> {
  const { headers = {} } = (await response.json()) as { headers?: Record<string, unknown> };
  const seen = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return LANGUAGES.map((language) => {
    expect(String(seen.get(`x-from-${language}`))).toBe(`yes, ${language}`);
    return Number(response.headers.get(`x-bytes-${language}`) ?? Number.NaN);
  });
}
