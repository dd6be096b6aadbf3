/**
 * docs/HTTP.md: what Sluice, nginx and HAProxy do with the same bytes, as it has been measured.
 *
 *   node_modules/.bin/bun test/e2e/acceptance/document.ts > docs/HTTP.md
 */
import { type AcceptanceCase, GROUPS, UNSTEADY } from "./cases.ts";
import { escaped, meaningOf, type Outcome, outcomeOf, textOf } from "./outcome.ts";
import { type Proxies, PROXIES, type ProxyName, startProxies, versionOf } from "./proxies.ts";
import { REASONS, reasonsOf } from "./reasons.ts";

export interface Row {
  readonly given: AcceptanceCase;
  readonly outcomes: ReadonlyMap<ProxyName, Outcome>;
  /** The same, as it is written. */
  readonly texts: ReadonlyMap<ProxyName, string>;
}

/** ms; answers take a few, but the machine may be busy: the unexpected gets the longer time. */
const SILENCE_MS = 300;
const LONG_SILENCE_MS = 3000;
/** bytes of a request that are shown. */
const SHOWN_MAX = 130;

/** @param expected the document as it was; it decides how long to wait, not what is seen */
export async function measure(proxies: Proxies, expected: string): Promise<Row[]> {
  const cases = Object.values(GROUPS).flat();
  const lines = expected.split("\n");
  const measured = await Promise.all(
    PROXIES.map(async (name) => {
      const outcomes: Outcome[] = [];
      for (const given of cases) {
        const line = lines.find((text) => text.startsWith(`| ${cell(given.name)} |`)) ?? "";
        const outcome = await outcomeOf(given, proxies[name], SILENCE_MS);
        const text = written(name, given, outcome, proxies);
        const isExpected = line.includes(`| ${code(text)} |`);
        outcomes.push(
          isExpected ? outcome : await outcomeOf(given, proxies[name], LONG_SILENCE_MS),
        );
      }
      return outcomes;
    }),
  );
  return cases.map((given, n) => {
    const outcomes = PROXIES.map((name, at) => [name, measured[at]?.[n] as Outcome] as const);
    const texts = outcomes.map(
      ([name, outcome]) => [name, written(name, given, outcome, proxies)] as const,
    );
    return { given, outcomes: new Map(outcomes), texts: new Map(texts) };
  });
}

function written(
  name: ProxyName,
  given: AcceptanceCase,
  outcome: Outcome,
  proxies: Proxies,
): string {
  if (UNSTEADY[given.name] === name) return "now this, now that";
  return textOf(outcome, proxies[name].port);
}

/** Peers that have made something else of it than Sluice. */
export function differences({ texts }: Row): ProxyName[] {
  const meaning = (name: ProxyName): string => meaningOf(texts.get(name) ?? "");
  return PROXIES.filter((name) => meaning(name) !== meaning("sluice"));
}

export function httpDocument(rows: readonly Row[]): string {
  const count = rows.length;
  const tables = Object.entries(GROUPS).map(([group, cases]) => {
    const found = rows.filter(({ given }) => cases.includes(given));
    return `## ${group}\n\n${HEAD}\n${found.map(tableRow).join("\n")}\n`;
  });
  const reasons = REASONS.map(({ key, text }) => `- **${key}**: ${text}`).join("\n");
  return `${intro(count)}\n${reasons}\n\n${tables.join("\n")}`;
}

function intro(count: number): string {
  return `# What is a request

<!-- Written by test/e2e/acceptance/document.ts: change the cases or the reasons there. -->

${count} requests, byte by byte, and what Sluice (\`front: http1\`), nginx ${versionOf("nginx")} and
HAProxy ${versionOf("haproxy")} do with them: each is a plain reverse proxy, configured as
its manual has it, in front of the same node. \`test/e2e/acceptance.test.ts\` sends them all
again, compares this page with what it sees, and holds Sluice to three rules:

1. The node gets no more requests than the bytes are by RFC 9112, and nothing that stands behind
   a refused request.
2. What both nginx and HAProxy refuse, Sluice does not forward.
3. Where Sluice differs from one of them, the last column says why: the reasons are listed below.

\`200 open → GET /p\` means: answered 200, the connection can be used again, and the node has got
\`GET /p\`. Behind the target stand, where there is something to tell, the host in \`[ ]\` (else
it is a.test), what frames the body in \`{ }\`, the body and the trailers. \`closes\`: the
connection is closed; \`waits\`: there is neither an answer nor an end, since bytes are missing;
\`?\`: an answer without a head. Only whole requests count: one that is cut short is known as such
to the node. That nginx collects a chunked body and sends it with its length is not counted as a
difference.

Behind most requests that can be read in two ways stands \`GET /smuggled\`. Where it reaches the
node, somebody has read it as a request of its own.

## Why
`;
}

const HEAD = "| case | sent | Sluice | nginx | HAProxy | why |\n|---|---|---|---|---|---|";

function tableRow(row: Row): string {
  const { given, texts } = row;
  const seen = PROXIES.map((name) => code(texts.get(name) ?? ""));
  const why = reasonsOf(given.name).map(({ key }) => key);
  const cells = [cell(given.name), code(sentText(given.send)), ...seen, why.join(", ")];
  return `| ${cells.join(" | ")} |`;
}

function sentText(send: string): string {
  const text = escaped(send);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}… (${send.length} bytes)`;
}

/** Text that no character of it ends or formats. */
function cell(text: string): string {
  return escaped(text.trim()).replaceAll(/[|*_<>`\\[\]]/g, String.raw`\$&`);
}

/** A code span may hold all but bars, and runs of as many grave accents as it is set in. */
function code(text: string): string {
  const fence = text.includes("`") ? "``" : "`";
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${pad}${text.replaceAll("|", String.raw`\|`)}${pad}${fence}`;
}

if (import.meta.main) {
  await using proxies = await startProxies();
  process.stdout.write(httpDocument(await measure(proxies, "")));
}
