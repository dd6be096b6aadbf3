import { meter } from "../../src/wasm/sandbox/meter.ts";
import { SocketlessGateway } from "../exchange/gateway.ts";
import { addHeader } from "../exchange/header-filter.ts";
import { BODY, REQUEST, RESPONSE } from "../exchange/messages.ts";
import { type Effort, type Work, work } from "./work.ts";

export interface WholeExchange {
  readonly name: string;
  readonly filters: number;
  readonly instances: "shared" | "per_request";
}

/** The first one is what the steps are parts of. */
export const EXCHANGES: readonly WholeExchange[] = [
  { name: "no filter", filters: 0, instances: "shared" },
  { name: "1 shared filter", filters: 1, instances: "shared" },
  { name: "3 shared filters", filters: 3, instances: "shared" },
  { name: "10 shared filters", filters: 10, instances: "shared" },
  { name: "1 filter per request", filters: 1, instances: "per_request" },
];

/** There is more to compile than in a step: the first 60,000 exchanges cost three times as much. */
export const EXCHANGE_EFFORT: Effort = { warmUpMs: 3000, rounds: 10, roundMs: 200 };

/** Connections that take turns, as many as the load of bench/peers has. */
const CLIENTS = 64;

/** Of a gateway without sockets. Filters are the Rust one that adds a header each way. */
export async function exchangeWork(
  { filters, instances }: WholeExchange,
  clients = CLIENTS,
): Promise<Work> {
  if (filters > 0) await meter.start();
  const plugins = await Promise.all(
    Array.from({ length: filters }, () => addHeader("rust/add-header.wasm", instances)),
  );
  const gateway = await SocketlessGateway.start({
    clients,
    request: REQUEST,
    response: RESPONSE,
    plugins,
  });
  const added = "\r\nx-guest: rust".repeat(filters);
  return work({
    prepare: () => gateway,
    run: (started) => started.turn(),
    reuses: true,
    times: clients,
    shown: () => gateway.lastAnswer,
    expected: RESPONSE.replace("\r\nConnection: keep-alive", "").replace(
      `\r\nContent-Length: ${BODY.length}`,
      `${added}\r\nContent-Length: ${BODY.length}`,
    ),
  });
}
