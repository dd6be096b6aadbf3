/**
 * Every hostile guest, group by group, while honest clients use the same gateway: no honest
 * exchange may fail, no worker may end, and every attacking exchange must end as its entry says.
 *
 *   HOSTILE_RUNS=10000   attacks per guest, shared between its kinds of instances, default 200
 *   HOSTILE_ONLY=loop    only attacks whose name matches
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GROUPS } from "./catalogue.ts";
import { Siege } from "./siege.ts";

const RUNS = Number(process.env["HOSTILE_RUNS"] ?? 200);
const ONLY = new RegExp(process.env["HOSTILE_ONLY"] ?? "");
const MIB = 1024 * 1024;
/** bytes; of one worker, whatever its hundreds of hostile guests have asked for. */
const WORKER_BYTES_MAX = 768 * MIB;
const WORKER_LOST = /worker (?:has ended|has been replaced|does not answer)/;
/** A guest was entered while it, or another one, ran: the gateway's fault, whatever they did. */
const NESTED = /Cannot (?:enter|restore|leave) /;

/** Lines of the log that name the attack's plugin or route. */
const about = (attack: string) => (line: string) => line.includes(attack);

const groups = Object.entries(GROUPS)
  .map(([name, attacks]) => ({ name, attacks: attacks.filter((each) => ONLY.test(each.name)) }))
  .filter(({ attacks }) => attacks.length > 0);

/** Each group's siege; one that has begun already is not begun again. */
const sieges = new Map<string, Promise<Siege>>();

function siegeOf({ name, attacks }: (typeof groups)[number]): Promise<Siege> {
  const siege = sieges.get(name) ?? Siege.start(attacks, RUNS);
  sieges.set(name, siege);
  return siege;
}

beforeAll(async () => {
  // Guests that take a minute and do nothing meanwhile have it while the others have their turn.
  const slow = groups.filter(({ attacks }) =>
    attacks.some(({ guest }) => guest.slowRuns !== undefined),
  );
  await Promise.all(slow.map(siegeOf));
});

describe.each(groups)("hostile guests, $name", (group) => {
  const { name, attacks } = group;
  /** ms; of all of them together, of which the test that is run first sees the most. */
  const msMax = 120_000 + RUNS * attacks.length * 20;
  let siege: Siege;

  beforeAll(async () => {
    siege = await siegeOf(group);
  }, msMax);

  afterAll(() => siege[Symbol.asyncDispose]());

  test.each(attacks.map((attack) => attack.name))(
    "%s does to its own exchanges what its entry says, and no more",
    async (attack) => {
      const { problems } = await siege.result(attack);
      const told = problems.length === 0 ? [] : siege.gateway.lines.filter(about(attack)).slice(-5);
      expect({ attack, problems, told }).toEqual({ attack, problems: [], told: [] });
    },
    msMax,
  );

  test(
    "leave honest exchanges, the node and the workers alone",
    async () => {
      await siege.over();
      const { honest, gateway, node, grpc, peakBytes } = siege;
      console.log(
        `${name}: ${honest.answered} honest exchanges, the slowest took ` +
          `${Math.round(honest.slowestMs)} ms; a worker had at most ` +
          `${Math.round(peakBytes / MIB)} MiB`,
      );
      expect(honest.problems).toEqual([]);
      expect(honest.answered).toBeGreaterThan(0);
      expect(node.problems).toEqual([]);
      expect(grpc.streams > 0).toBe(name === "grpc");
      expect(gateway.lines.filter((line) => WORKER_LOST.test(line))).toEqual([]);
      expect(gateway.lines.filter((line) => NESTED.test(line))).toEqual([]);
      expect(gateway.workers()).toEqual([...siege.workers]);
      expect(peakBytes).toBeLessThan(WORKER_BYTES_MAX);
    },
    msMax,
  );
});
