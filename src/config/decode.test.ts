import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { decode } from "./decode.ts";
import { Findings } from "./findings.ts";
import { readDocument } from "./read-document.ts";
import { GatewaySchema, type RawGateway } from "./schema.ts";
import { type ConfigNode, SourceText } from "./tree.ts";

function decodeText(text: string): {
  raw: RawGateway | undefined;
  findings: Findings;
  tree: ConfigNode;
} {
  const findings = new Findings(new SourceText("gateway.yaml", text));
  const tree = readDocument(findings);
  if (tree === undefined) throw new Error(`Not YAML: ${text}`);
  return { raw: decode(GatewaySchema, tree, findings), findings, tree };
}

/** The tree as the values that TypeBox checks. */
function valuesOf(node: ConfigNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(valuesOf);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, valuesOf(value)]));
}

const SAMPLE = `
listen: [127.0.0.1:80, { address: a:1 }]
workers: auto
wasm:
  plugins:
    - { name: a, sha256: ${"a".repeat(64)}, allow: { http_call: [b], env: { C: d }, queues: [a] } }
    - { name: b, instances: per_request, limits: { memory: 1MiB, fuel: 5 }, pool: { size: 2 } }
upstreams:
  - { id: 1, nodes: { a: 1 }, timeout: { read: 2s }, retries: 2, keepalive_pool: { size: 1 } }
  - { id: b, nodes: [{ host: a, port: 1 }], pass_host: node }
routes:
  - { uri: /a, uris: [/b], methods: [GET], upstream_id: b, status: 1, enabled: true, priority: 1 }
  - plugins: [a, { b: { c: d } }, { proxy-rewrite: { uri: /a, regex_uri: [a, b] } }]
    upstream: { nodes: {} }
  - { plugins: { a: text, proxy-rewrite: { headers: { set: { a: b }, remove: [c] } } } }
global_plugins: []
limits: { request_body: 1MiB, exchanges_in_flight: 5 }
log: { level: info }
drain: 5
`;

describe("decode()", () => {
  test("returns values, durations in ms and sizes in bytes", () => {
    const { raw, findings } = decodeText(SAMPLE);
    expect(findings.sorted()).toEqual([]);
    expect(raw?.drain).toBe(5000);
    expect(raw?.limits).toEqual({ request_body: 1_048_576, exchanges_in_flight: 5 });
    expect(raw?.upstreams?.[0]).toMatchObject({ id: 1, timeout: { read: 2000 }, retries: 2 });
    expect(raw?.routes?.[1]?.plugins?.kind).toBe("list");
  });

  test("leaves a wrong value out and keeps the rest, list places included", () => {
    const { raw, findings } = decodeText(
      "workers: no\nroutes: [{ uri: /a }, 5, { uri: 7, id: x }]\n",
    );
    expect(raw).toEqual({ routes: [{ uri: "/a" }, undefined, { id: "x" }] });
    expect(findings.sorted()).toHaveLength(3);
  });

  test("accepts exactly what TypeBox accepts, over a thousand broken files", () => {
    const random = randomFrom(11);
    const words = [
      "5",
      "-1",
      "auto",
      "text",
      "true",
      "~",
      "[]",
      "{}",
      "[a]",
      "{ a: 1 }",
      "2s",
      '""',
      "1.5",
    ];
    const counts = { accepted: 0, refused: 0 };
    for (let round = 0; round < 1500; round++) {
      // One value or key of the sample is replaced: mostly an error, sometimes none.
      const tokens = SAMPLE.split(/([\w./:]+)/);
      const at = 1 + 2 * random(Math.floor(tokens.length / 2));
      tokens[at] = words[random(words.length)] ?? "";
      const text = tokens.join("");
      const findings = new Findings(new SourceText("gateway.yaml", text));
      const tree = readDocument(findings);
      if (tree === undefined) continue;
      decode(GatewaySchema, tree, findings);
      const accepted = Value.Check(GatewaySchema, valuesOf(tree));
      counts[accepted ? "accepted" : "refused"]++;
      const found = findings.sorted();
      // Of units TypeBox sees only the look, their bounds are ours.
      const others = found.filter(({ message }) => !/ takes a (?:size|duration)/.test(message));
      const ours = accepted ? others.length === 0 : found.length === 0;
      expect({ text, accepted: ours }).toEqual({ text, accepted });
    }
    expect(counts.accepted).toBeGreaterThan(50);
    expect(counts.refused).toBeGreaterThan(500);
  });
});

describe("decode() errors", () => {
  test("names the things of the file that it is about", () => {
    const { findings } = decodeText(
      "upstreams: [{ id: app, nodes: { a: x }, timeout: { read: [] } }, { nodes: 5 }]\n",
    );
    expect(findings.sorted().map(({ message }) => message.split(" takes ")[0])).toEqual([
      '"nodes.a" of upstream "app"',
      '"timeout.read" of upstream "app"',
      '"upstreams[1]" needs the key "id"',
      '"upstreams[1].nodes"',
    ]);
  });

  test("takes no key of Object.prototype for one of its own", () => {
    const { findings } = decodeText("__proto__: {}\ntoString: 1\nlog: { constructor: 1 }\n");
    const codes = findings.sorted().map(({ code }) => code);
    expect(codes).toEqual(["CONFIG_UNKNOWN_KEY", "CONFIG_UNKNOWN_KEY", "CONFIG_UNKNOWN_KEY"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
}
