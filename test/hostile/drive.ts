import type { Attack } from "./catalogue.ts";
import { type Outcome, StrictClient } from "./client.ts";
import { type HostileGuest, POST_BODY } from "./guest.ts";
import type { HonestRequest } from "./honest-clients.ts";
import type { Echo } from "./strict-node.ts";

/** What became of one guest's attacks. */
export interface Driven {
  /** How often each verdict came. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** What was not as it should be; empty when all was well. */
  readonly problems: readonly string[];
}

/** ms; no attack may keep its own client longer. Loops end at their deadlines, pauses are apart. */
const ATTACK_MS_MAX = 5_000;
/** ms; a pause ends after a minute. */
const SLOW_MS_MAX = 75_000;
/**
 * Share of the exchanges of a guest with a deadline of a millisecond that may end by it before they
 * come to their attack: the machine is busy, and wall time counts, too.
 */
const EARLY_SHARE_MAX = 0.5;
const PROBLEMS_SHOWN_MAX = 10;
/** ms; an honest exchange must work at once after the attacks. */
const PROBE_MS_MAX = 5_000;
/** A machine that is busy with other things may be the one that was late. */
const PROBES = 3;

/**
 * Attacks `runs` times over one connection after the other, checks each verdict, and probes
 * afterwards: an honest exchange, and one through the same plugin without an attack.
 */
export async function drive(
  port: number,
  attack: Attack,
  runs: number,
  honest: HonestRequest,
): Promise<Driven> {
  const { guest } = attack;
  const verdicts: Record<string, number> = {};
  const note = (verdict: string): void => {
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  };
  if (guest.slowRuns === undefined) {
    const client = new StrictClient(port);
    for (let run = 0; run < runs; run++) note(await attackOnce(client, attack, ATTACK_MS_MAX));
    client.close();
  } else {
    const slow = Array.from({ length: guest.slowRuns }, async () => {
      const client = new StrictClient(port);
      note(await attackOnce(client, attack, SLOW_MS_MAX));
      client.close();
    });
    await Promise.all(slow);
  }
  return {
    verdicts,
    problems: [...wrong(guest, verdicts), ...(await probe(port, attack, honest))],
  };
}

function wrong(guest: HostileGuest, verdicts: Readonly<Record<string, number>>): string[] {
  const problems: string[] = [];
  const all = Object.values(verdicts).reduce((sum, count) => sum + count, 0);
  for (const [verdict, count] of Object.entries(verdicts)) {
    if (guest.expect.includes(verdict)) continue;
    if (isEarly(guest, verdict) && count <= all * EARLY_SHARE_MAX) continue;
    problems.push(`${count} of ${all}: ${verdict}; expected ${guest.expect.join(" or ")}`);
  }
  return problems.slice(0, PROBLEMS_SHOWN_MAX);
}

function isEarly(guest: HostileGuest, verdict: string): boolean {
  return (guest.settings ?? "").includes("deadline: ") && verdict === "503 FILTER_DEADLINE";
}

/** What is wrong after the attacks. */
async function probe(port: number, attack: Attack, honest: HonestRequest): Promise<string[]> {
  const client = new StrictClient(port);
  const problems: string[] = [];
  let problem: string | undefined;
  for (let tries = 0; tries < PROBES; tries++) {
    problem = honest.problemOf(await client.ask(honest.text, PROBE_MS_MAX));
    if (problem === undefined) break;
  }
  if (problem !== undefined) problems.push(`an honest exchange afterwards: ${problem}`);
  // A tick or a pause of the guest's own may still be in the way of the first one.
  const giveUp = performance.now() + PROBE_MS_MAX;
  let verdict = "";
  do {
    const outcome = await client.ask(requestText(attack, false), PROBE_MS_MAX);
    verdict = verdictOf(outcome, attack.guest, false);
  } while (verdict !== "200" && performance.now() < giveUp);
  if (verdict !== "200") problems.push(`the same plugin unprovoked afterwards: ${verdict}`);
  client.close();
  return problems;
}

async function attackOnce(client: StrictClient, attack: Attack, msMax: number): Promise<string> {
  const { leavesAfterMs } = attack.guest;
  const outcome = await client.ask(requestText(attack, true), leavesAfterMs ?? msMax);
  if (leavesAfterMs !== undefined && outcome.kind === "silent") return "left";
  return verdictOf(outcome, attack.guest, true);
}

function requestText({ name, guest }: Attack, attacks: boolean): string {
  const lines = [`Host: ${name}.test`, "X-Kept: yes"];
  if (attacks) lines.push("X-Attack: 0123456789abcdef");
  const head = (method: string, target: string, more: readonly string[]): string =>
    `${method} ${target} HTTP/1.1\r\n${[...lines, ...more].join("\r\n")}\r\n\r\n`;
  if (guest.request === "post") {
    return head("POST", "/post", [`Content-Length: ${POST_BODY.length}`]) + POST_BODY;
  }
  if (guest.request === "trailers") {
    const chunk = `${POST_BODY.length.toString(16)}\r\n${POST_BODY}\r\n`;
    const end = "0\r\nX-Sent: 1\r\n\r\n";
    return head("POST", "/trailers", ["Transfer-Encoding: chunked"]) + chunk + end;
  }
  return head("GET", "/get", []);
}

/** One word or two: "200", "503 FILTER_FAILED", "cut", or a sentence about what is wrong. */
export function verdictOf(outcome: Outcome, guest: HostileGuest, attacked: boolean): string {
  if (outcome.kind === "garbage") return `garbage: ${outcome.what}`;
  if (outcome.kind !== "answer") return outcome.kind;
  const { status, body, lines } = outcome.answer;
  if (lines.some(([name]) => name === "x-evil")) return `${status} with a smuggled line`;
  if (status === 599) {
    const numbers = Buffer.from(body, "latin1");
    return `599: the guest got ${numbers.readInt32LE(0)} and not ${numbers.readInt32LE(4)}`;
  }
  const code = status >= 400 ? /^{"error":"(\w+)"/.exec(body)?.[1] : undefined;
  if (code !== undefined) return `${status} ${code}`;
  if (attacked && guest.bodyAtClient !== undefined && guest.expect.includes(String(status))) {
    if (body === guest.bodyAtClient) return String(status);
    return `${status} with the body ${JSON.stringify(body.slice(0, 200))}`;
  }
  if (status !== 200) return String(status);
  return echoProblem(body, guest, attacked) ?? "200";
}

function echoProblem(text: string, guest: HostileGuest, attacked: boolean): string | undefined {
  let echo: Echo;
  try {
    echo = JSON.parse(text) as Echo;
  } catch {
    return `200 with the body ${JSON.stringify(text.slice(0, 200))}`;
  }
  if (echo.lines.some(([name, value]) => name === "x-evil" || value.startsWith("evil"))) {
    return `200, but the node got ${JSON.stringify(echo.lines)}`;
  }
  const isPlain = guest.request === undefined || guest.request === "get";
  const sent = isPlain ? "" : POST_BODY;
  const wanted = attacked ? (guest.bodyAtNode ?? sent) : sent;
  const target = guest.request === "trailers" ? "/trailers" : isPlain ? "/get" : "/post";
  const isRight = echo.body === wanted && echo.target === target;
  if (isRight && echo.method === (isPlain ? "GET" : "POST")) return undefined;
  const shown = { ...echo, body: `${echo.body.length} bytes: ${echo.body.slice(0, 40)}` };
  return `200, but the node got ${JSON.stringify(shown).slice(0, 400)}`;
}
