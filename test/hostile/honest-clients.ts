import { type Outcome, StrictClient } from "./client.ts";

/** What an honest client sends again and again, and the one answer that is right. */
export interface HonestRequest {
  readonly name: string;
  /** latin-1 */
  readonly text: string;
  /** @returns what is wrong, undefined when nothing is */
  problemOf(outcome: Outcome): string | undefined;
}

/** ms; between two requests of one client, so that it does not take a core for itself. */
const PAUSE_MS = 4;
/** ms; an honest exchange must not take longer, whatever others do, on a busy machine too. */
const HONEST_MS_MAX = 5_000;

/**
 * Clients that send all the time, on kept connections, and check every answer in full.
 *
 *   await using honest = HonestClients.start(port, requests);
 *   …
 *   await honest.stop();   // honest.problems is empty when all went well
 */
export class HonestClients {
  readonly requests: readonly HonestRequest[];
  answered = 0;
  /** At most 20. */
  readonly problems: string[] = [];
  slowestMs = 0;
  readonly #port: number;
  #running = true;
  #loops: Promise<void>[] = [];

  private constructor(port: number, requests: readonly HonestRequest[]) {
    this.#port = port;
    this.requests = requests;
  }

  static start(port: number, requests: readonly HonestRequest[], each = 2): HonestClients {
    const clients = new HonestClients(port, requests);
    clients.#loops = requests.flatMap((request) =>
      Array.from({ length: each }, () => clients.#loop(request)),
    );
    return clients;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(request: HonestRequest): Promise<void> {
    const client = new StrictClient(this.#port);
    while (this.#running) {
      const startedMs = performance.now();
      const outcome = await client.ask(request.text, HONEST_MS_MAX);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
      const problem = request.problemOf(outcome);
      if (problem === undefined) this.answered++;
      else if (this.problems.length < 20) this.problems.push(`${request.name}: ${problem}`);
      await Bun.sleep(PAUSE_MS);
    }
    client.close();
  }
}

/** Waits for the answer with this status, body and header lines, and for no other. */
export function honestRequest(options: {
  name: string;
  host: string;
  target: string;
  body: string;
  /** Lower-case name and value that must be there once; undefined value: must not be there. */
  header: readonly [string, string | undefined];
}): HonestRequest {
  const { name, host, target, body, header } = options;
  return {
    name,
    text: `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    problemOf: (outcome) => {
      if (outcome.kind !== "answer") return JSON.stringify(outcome);
      const { answer } = outcome;
      const values = answer.lines.filter(([key]) => key === header[0]).map(([, value]) => value);
      const wanted = header[1] === undefined ? [] : [header[1]];
      const isRight =
        answer.status === 200 && answer.body === body && values.join("|") === wanted.join("|");
      return isRight ? undefined : JSON.stringify(answer).slice(0, 500);
    },
  };
}
