/**
 * The http1 front against nginx and HAProxy: the same bytes to all three, in front of nodes that
 * record what they get. docs/HTTP.md has the table, and what the three rules of it are.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { GROUPS } from "./acceptance/cases.ts";
import { differences, httpDocument, measure, type Row } from "./acceptance/document.ts";
import { framingOf, type Outcome } from "./acceptance/outcome.ts";
import { type Proxies, type ProxyName, startProxies } from "./acceptance/proxies.ts";
import { REASONS, reasonsOf } from "./acceptance/reasons.ts";

const DOCUMENT = join(import.meta.dir, "../../docs/HTTP.md");

let proxies: Proxies;
let rows: Row[] = [];
let onDisk = "";

beforeAll(async () => {
  onDisk = await Bun.file(DOCUMENT).text();
  proxies = await startProxies();
  rows = await measure(proxies, onDisk);
}, 120_000);

afterAll(() => proxies[Symbol.asyncDispose]());

const by = (row: Row, name: ProxyName): Outcome => row.outcomes.get(name) as Outcome;
const nameOf = ({ given }: Row): string => given.name;
const isForwarded = (row: Row, name: ProxyName): boolean => by(row, name).calls.length > 0;

describe("docs/HTTP.md", () => {
  test("shows what the three do, request by request", () => {
    // When it differs: node_modules/.bin/bun test/e2e/acceptance/document.ts > docs/HTTP.md
    const lines = new Set(onDisk.split("\n"));
    const now = httpDocument(rows);
    expect(now.split("\n").filter((line) => !lines.has(line))).toEqual([]);
    expect(now === onDisk ? "the same" : "another one").toBe("the same");
  });

  test("has cases of all kinds, each under a name of its own", () => {
    const names = Object.values(GROUPS).flatMap((cases) => cases.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(300);
  });

  test("has a reason for every difference", () => {
    const missing = rows.filter(
      (row) => differences(row).length > 0 && reasonsOf(nameOf(row)).length === 0,
    );
    expect(missing.map((row) => [nameOf(row), ...row.texts.values()])).toEqual([]);
  });

  test("has no reason where there is no difference, or no case", () => {
    const differing = new Set(rows.filter((row) => differences(row).length > 0).map(nameOf));
    for (const { key, cases } of REASONS) {
      expect([key, ...cases.filter((name) => !differing.has(name))]).toEqual([key]);
    }
  });
});

describe("front http1", () => {
  test("hands the node no more requests than there are, and none from inside of another", () => {
    const wrong = rows.filter((row) => {
      const { calls, answers } = by(row, "sluice");
      const { requests } = row.given;
      return (
        calls.length > requests ||
        answers.length > requests + 1 ||
        calls.some(({ target }) => target.includes("smuggled"))
      );
    });
    expect(wrong.map(nameOf)).toEqual([]);
    // Neither later, nor in part.
    expect(proxies.sluice.node.callsTo("/smuggled")).toEqual([]);
    // The bytes would have been understood so: others do.
    expect(proxies.haproxy.node.callsTo("/smuggled").length).toBeGreaterThan(0);
  });

  test("forwards nothing that both others refuse", () => {
    const refused = rows.filter(
      (row) => !isForwarded(row, "nginx") && !isForwarded(row, "haproxy"),
    );
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.filter((row) => isForwarded(row, "sluice")).map(nameOf)).toEqual([]);
  });

  test("answers with a status whatever it refuses, and closes what it cannot read on", () => {
    const refused = rows.filter(
      (row) => by(row, "sluice").answers.at(-1)?.startsWith("4") === true,
    );
    expect(refused.length).toBeGreaterThan(100);
    const open = refused.filter((row) => by(row, "sluice").end !== "closes").map(nameOf);
    expect(open).toEqual(["TRACE with a body", "TRACE"]);
  });

  test("leaves nothing to be read in two ways in what it forwards", () => {
    const unclear = proxies.sluice.node.calls.filter(
      (call) =>
        !/^\/[\x21-\x7e]*$/.test(call.target) ||
        call.all("host").length !== 1 ||
        framingOf(call).length > 1 ||
        !framingOf(call).every((framing) => /^(chunked|0|[1-9]\d*)$/.test(framing)) ||
        [...call.lines, ...call.trailers].some(
          (line) => !/^[\w!#$%&'*+.^`|~-]+: ?[\t\x20-\x7e\x80-\xff]*$/.test(line),
        ),
    );
    expect(unclear.map((call) => call.lines)).toEqual([]);
    expect(proxies.sluice.node.calls.length).toBeGreaterThan(80);
  });
});
