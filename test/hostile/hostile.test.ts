/**
 * Every hostile guest against one gateway, while honest clients use it: no honest exchange may
 * fail, no worker may end, and every attacking exchange must end as its entry says.
 *
 *   HOSTILE_RUNS=10000   attacks per guest, shared between its kinds of instances, default 200
 *   HOSTILE_ONLY=loop    only attacks whose name matches
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Gateway } from "../e2e/support/gateway.ts";
import { rssBytes } from "../e2e/support/processes.ts";
import { attacks } from "./catalogue.ts";
import { drive, type Driven } from "./drive.ts";
import { HonestClients } from "./honest-clients.ts";
import { honestRequests, startGatewayUnder } from "./hostile-gateway.ts";
import { SilentNode, StrictNode } from "./strict-node.ts";

const RUNS = Number(process.env["HOSTILE_RUNS"] ?? 200);
const ATTACKS = attacks(process.env["HOSTILE_ONLY"]);
/** Guests that are driven at the same time. */
const LANES = 4;
/** ms; the whole of it, of which the first test that is run sees the most. */
const ALL_MS_MAX = 60_000 + RUNS * ATTACKS.length * 10;
const MIB = 1024 * 1024;
/** bytes; of one worker, whatever its hundreds of hostile guests have asked for. */
const WORKER_BYTES_MAX = 1024 * MIB;

const started = new AsyncDisposableStack();
const results = new Map(ATTACKS.map(({ name }) => [name, Promise.withResolvers<Driven>()]));
let gateway: Gateway;
let node: StrictNode;
let honest: HonestClients;
let workers: number[];
let peakBytes = 0;

beforeAll(async () => {
  node = started.use(new StrictNode());
  const silent = started.use(new SilentNode());
  gateway = started.use(
    await startGatewayUnder(ATTACKS, { strict: node.address, silent: silent.address }),
  );
  workers = gateway.workers();
  honest = HonestClients.start(gateway.port, honestRequests());
  const slow = ATTACKS.filter(({ guest }) => guest.slowRuns !== undefined);
  const quick = ATTACKS.filter(({ guest }) => guest.slowRuns === undefined);
  const lane = async (): Promise<void> => {
    for (let attack = quick.shift(); attack !== undefined; attack = quick.shift()) {
      await settle(attack);
    }
  };
  for (const attack of slow) void settle(attack);
  for (let n = 0; n < LANES; n++) void lane();
}, ALL_MS_MAX);

afterAll(async () => {
  await honest.stop();
  await started.disposeAsync();
});

async function settle(attack: (typeof ATTACKS)[number]): Promise<void> {
  const { resolve, reject } = results.get(attack.name) ?? Promise.withResolvers<Driven>();
  const [request] = honest.requests;
  if (request === undefined) return reject(new Error("Cannot probe: there is no honest request"));
  try {
    const kinds = attack.guest.instances?.length ?? 2;
    resolve(await drive(gateway.port, attack, Math.ceil(RUNS / kinds), request));
  } catch (error) {
    reject(error);
  }
  const largest = Math.max(...gateway.workers().map((pid) => rssBytes([pid])));
  peakBytes = Math.max(peakBytes, largest);
}

describe("a hostile guest", () => {
  test.each(ATTACKS.map(({ name }) => name))(
    "%s does to its own exchanges what its entry says, and no more",
    async (name) => {
      const driven = await results.get(name)?.promise;
      expect({ name, problems: driven?.problems }).toEqual({ name, problems: [] });
    },
    ALL_MS_MAX,
  );
});

describe("the gateway under hostile guests", () => {
  beforeAll(async () => {
    await Promise.allSettled([...results.values()].map(({ promise }) => promise));
    await honest.stop();
  }, ALL_MS_MAX);

  test("has answered every honest request as it should", () => {
    expect(honest.problems).toEqual([]);
    expect(honest.answered).toBeGreaterThan(ATTACKS.length);
    console.log(
      `${honest.answered} honest exchanges, the slowest took ${Math.round(honest.slowestMs)} ms`,
    );
  });

  test("has sent nothing to its node but well-formed requests", () => {
    expect(node.problems).toEqual([]);
  });

  test("has the workers that it started with", () => {
    expect(gateway.workers()).toEqual(workers);
    expect(gateway.lines.filter((line) => WORKER_LOST.test(line))).toEqual([]);
  });

  test("has kept the memory of its workers bounded", () => {
    console.log(`the larger worker had at most ${Math.round(peakBytes / MIB)} MiB`);
    expect(peakBytes).toBeLessThan(WORKER_BYTES_MAX);
  });
});

const WORKER_LOST = /worker (?:has ended|has been replaced|does not answer)/;
