/**
 * Question: what does a whole exchange cost between two sockets that cost nothing, with and without
 * filters? Requests, answers and filters are those of bench/peers.
 * Not measured: sockets, which are in stages.bench.ts; bodies above one packet.
 *
 *   bun bench/exchange.bench.ts "no filter"
 */
import {
  EXCHANGE_EFFORT,
  EXCHANGES,
  exchangeWork,
  type WholeExchange,
} from "./budget/exchanges.ts";
import { leastOf, sayLeast } from "./budget/in-child.ts";
import { shownLeast } from "./budget/budget-markdown.ts";

export const cases: readonly string[] = EXCHANGES.map(({ name }) => name);

/** @throws Error when a client gets anything but the node's answer and the filters' lines */
export async function check(): Promise<void> {
  for (const one of EXCHANGES) (await exchangeWork(one, 2)).verify();
}

function exchangeOf(name: string): WholeExchange {
  const found = EXCHANGES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`Cannot find the exchange "${name}"`);
  return found;
}

if (import.meta.main) {
  const [name = cases[0] ?? ""] = Bun.argv.slice(2);
  if (Bun.argv.includes("--part")) {
    const work = await exchangeWork(exchangeOf(name));
    work.verify();
    sayLeast(work.measure(EXCHANGE_EFFORT));
  }
  const least = await leastOf({ file: "exchange", name, part: "work" });
  process.stdout.write(`${name}: ${shownLeast(least)}\n`);
}
