import { describe, expect, test } from "bun:test";
import { isCelUint } from "@bufbuild/cel";
import { LIMITS } from "../../base/limits.ts";
import type { PropertyValue } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import { Expression } from "./expression.ts";

describe("Expression.evaluate()", () => {
  test.each([
    { text: "request.path.startsWith('/a') && request.method == 'GET'", value: true },
    { text: "request.headers['x-a']", value: "1,2" },
    { text: "request.headers[':path'] == request.path", value: true },
    { text: "response.headers[':status']", value: "200" },
    { text: "has(request.headers.nope)", value: false },
    { text: "request.nope", value: undefined },
    { text: "'x-b' in request.headers", value: true },
    { text: "request.headers.exists(k, k.matches('^x-[ab]$'))", value: true },
    { text: "size(request.headers) + 1", value: 7n },
    { text: "request[\"path\"] + '!'", value: "/a/ü?q=1!" },
    { text: "request.path.size()", value: 8n },
    { text: "size('a\u{1f600}')", value: 2n },
    { text: "request.time.getFullYear()", value: 2023n },
    { text: "request.time == timestamp('2023-11-14T22:13:20.5Z')", value: true },
    { text: "request.duration < duration('2s')", value: true },
    { text: "request.size * 2", value: 20n },
    { text: "connection.mtls", value: false },
    { text: "metadata.filter_metadata.size()", value: 0n },
    { text: "'x' in route_metadata.filter_metadata", value: false },
    { text: "'x' in xds.route_metadata.filter_metadata", value: false },
    { text: "'x' in node.metadata", value: false },
    { text: "filter_state['wasm.own'] == b'bytes'", value: true },
    { text: "own == b'bytes' && text == 'text'", value: true },
    { text: "route_name.contains('r')", value: true },
    { text: "[1, 2, 3].map(x, x * x).filter(x, x > 1).size()", value: 2n },
    { text: "[[1]] + [[2]] == [[1], [2]]", value: true },
    { text: "{'a': 1}.a", value: 1n },
    { text: "request.keys == null || true", value: true },
    { text: "1 // a comment with ((((((((((((((((((((((((((((((\n", value: 1n },
    { text: "'(((((((((((((((((((((((((((((((((((((('.size()", value: 38n },
  ])("$text", ({ text, value }) => {
    const expression = Expression.of(text);
    if (typeof expression === "string") throw new Error(expression);
    const result = expression.evaluate(read);
    expect(typeof result === "string" ? undefined : result.value).toEqual(value as never);
  });

  test("makes unsigned what is unsigned", () => {
    const result = evaluate("connection.id");
    expect(typeof result !== "string" && isCelUint(result.value)).toBe(true);
  });

  test("looks up only what the expression reads", () => {
    const paths: string[] = [];
    const expression = compiled("request.path == '/' || source['port'] == 1");
    expression.evaluate((path) => {
      paths.push(path.join("."));
      return undefined;
    });
    expect(paths).toEqual(["request.path", "source.port"]);
  });

  test.each([
    { text: "request.nope", why: "field not found" },
    { text: "nope", why: "unresolved attribute" },
    { text: "__proto__", why: "unresolved attribute" },
    { text: "constructor", why: "unresolved attribute" },
    { text: "request.constructor", why: "field not found" },
    { text: "nope()", why: "unbound function" },
    { text: "1 + 'a'", why: "no matching overload" },
    { text: "1 / 0", why: "divide by zero" },
    { text: "request.path.matches('(')", why: "missing closing" },
  ])("says why $text has no value", ({ text, why }) => {
    expect(evaluate(text)).toContain(why);
  });

  test("tells patterns apart, however many there are", () => {
    const expression = compiled("request.path.matches('^' + request.query + '$')");
    for (let n = 0; n < 3 * LIMITS.celPatternsMax; n++) {
      const text = String(n % (2 * LIMITS.celPatternsMax));
      const at = (path: readonly string[]): string => (path[1] === "path" ? text : `${text}x?`);
      expect(expression.evaluate(at)).toEqual({ value: true });
      expect(expression.evaluate((path) => (path[1] === "path" ? "no" : text))).toEqual({
        value: false,
      });
    }
  });

  test("is repeatable, and pays for each evaluation anew", () => {
    const expression = compiled(
      "request.headers.all(k, request.headers.all(l, k != '' && l != ''))",
    );
    for (let n = 0; n < 100; n++) expect(expression.evaluate(read)).toEqual({ value: true });
  });
});

describe("Expression.of()", () => {
  test.each([
    { text: "", why: "expecting" },
    { text: "request.", why: "expecting" },
    { text: "'open", why: "expecting" },
    { text: "1".repeat(LIMITS.celLengthMax + 1), why: "characters" },
    { text: "(".repeat(LIMITS.celDepthMax + 1), why: "brackets" },
    { text: `${"[".repeat(1000)}1${"]".repeat(1000)}`, why: "brackets" },
    { text: `'a' + "b" + ${"{".repeat(1000)}`, why: "brackets" },
    { text: `r'\\' + ${"{".repeat(1000)} + '`, why: "brackets" },
    { text: `'\\'' + ${"{".repeat(1000)} + '`, why: "brackets" },
    { text: `'''a'b''' + ${"{".repeat(1000)} + '`, why: "brackets" },
    { text: `// it's\n${"{".repeat(1000)} + '`, why: "brackets" },
    { text: `a${".b".repeat(LIMITS.celChainMax + 1)}`, why: "fields of fields" },
    { text: `[1].map(x, f(1 + a${".b".repeat(900)}.c))`, why: "fields of fields" },
    { text: "google.protobuf.Value{string_value: 'a'}", why: "write a map" },
    { text: "[1].map(x, google.protobuf.Timestamp{})", why: "write a map" },
  ] satisfies { text: string; why: string }[])("refuses $#", ({ text, why }) => {
    expect(Expression.of(text)).toContain(why);
  });
});

describe("Expression.evaluate(), errors", () => {
  const loops = "request.headers.all(a, request.headers.all(b, ";
  const many = Array.from({ length: 100 }, (_, n) => [`x-${n}`, "v".repeat(50)] as const);

  // Each takes from seconds to longer than the universe has existed, if nothing stops it.
  test.each([
    { what: "loops in loops", text: `${loops}request.headers.all(c, c != 'x')))` },
    { what: "errors that are swallowed", text: `${loops}(nope == 1) || true) || true)` },
    { what: "strings that double", text: `['aaaaaaaa']${".map(y, y + y)".repeat(40)}` },
    { what: "bytes that double", text: `[b'aaaaaaaa']${".map(y, y + y)".repeat(40)}` },
    { what: "lists that double", text: `[[1]]${".map(y, y + y)".repeat(40)}` },
    { what: "lists of lists", text: `[[1]]${".map(y, [y, y])".repeat(40)}` },
    { what: "maps of maps", text: `[{'a': 1}]${".map(y, {'a': y, 'b': y})".repeat(40)}` },
    { what: "comparisons of maps", text: `${loops}request.headers == request.headers))` },
    { what: "long texts", text: `${loops}size(request.query) > 1))` },
    { what: "programs of patterns", text: "request.query.matches('(a{0,500}b)*c')" },
    { what: "nested repetitions", text: "request.query.matches('((q{30}){30})*z')" },
    { what: "patterns in loops", text: `${loops}request.query.matches('z' + a + b) || true))` },
    { what: "zones", text: `${loops}request.time.getHours('Europe/Berlin') >= 0))` },
    { what: "times", text: `${loops}timestamp('2020-01-01T00:00:00Z') < request.time))` },
    { what: "large bodies", text: `${loops}${"true && ".repeat(230)}true))` },
    {
      what: "long chains",
      text: `${loops}request${".headers".repeat(LIMITS.celChainMax)} == 1 || true))`,
    },
  ])("ends $what", ({ text }) => {
    const expression = compiled(text);
    const startedAt = performance.now();
    const result = expression.evaluate((path) => {
      if (path.join(".") === "request.headers") return HeaderList.from(many);
      return path.join(".") === "request.query" ? "q".repeat(8000) : read(path);
    });
    expect(result).toContain(`a cost above ${LIMITS.celCostMax}`);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("takes time for RE2's patterns, not for a backtracker's", () => {
    const expression = compiled("request.query.matches('^(q+q+)+z$')");
    expect(expression.evaluate(() => "q".repeat(2000))).toEqual({ value: false });
  });
});

const PROPERTIES: Readonly<Record<string, PropertyValue>> = {
  "request.path": Buffer.from("/a/ü?q=1").toString("latin1"),
  "request.method": "GET",
  "request.headers": HeaderList.from([
    ["X-A", "1"],
    ["x-b", "b"],
    ["x-a", "2"],
  ]),
  "request.headers.:path": Buffer.from("/a/ü?q=1").toString("latin1"),
  "request.headers.:method": "GET",
  "request.headers.:authority": "example.com",
  "request.headers.:scheme": "http",
  "request.headers.:never": "asked for",
  "request.time": 1_700_000_000_500_000_000n,
  "request.duration": 1_500_000_000n,
  "request.size": 10n,
  "response.headers": HeaderList.from([]),
  "response.headers.:status": "200",
  "connection.id": 7n,
  "connection.mtls": false,
  metadata: new Uint8Array(),
  route_metadata: new Uint8Array(),
  "xds.route_metadata": new Uint8Array(),
  "node.metadata": new Uint8Array(),
  "filter_state.wasm.own": Buffer.from("bytes"),
  own: Buffer.from("bytes"),
  text: "text",
  route_name: "r1",
};

function read(path: readonly string[]): PropertyValue | undefined {
  const key = path.join(".");
  return Object.hasOwn(PROPERTIES, key) ? PROPERTIES[key] : undefined;
}

function compiled(text: string): Expression {
  const expression = Expression.of(text);
  if (typeof expression === "string") throw new Error(expression);
  return expression;
}

function evaluate(text: string) {
  return compiled(text).evaluate(read);
}
