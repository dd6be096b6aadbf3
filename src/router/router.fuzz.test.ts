import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../base/random.testing.ts";
import { buildLinearRouter } from "./linear.testing.ts";
import { buildRouter, checkRules, type Router, type RouteRule } from "./router.ts";

const METHODS = ["GET", "PUT", "POST"];
const HOSTS = ["a.h", "b.a.h", "h", "*.h", "*.a.h", "*.b.a.h", "[::1]"];
const ASKED_HOSTS = ["a.h", "b.a.h", "c.b.a.h", "x.h", "h", "other", "[::1]", ""];
// "ab", since a segment that only begins like another one must not be taken for it.
const SEGMENTS = ["a", "b", "c", "ab"];
const REGEXES = [
  "~^/a/",
  "~^/a/b",
  "~^/a/b/?",
  "~^/a/b+/c$",
  "~^/a|b$",
  "~/c$",
  "~^/[ab]/c",
  "~^\\/a\\/c\\/",
  "~^/b/c/.*ab",
  // Only what is behind the literal segments is tried, and equal ends are one expression.
  "~^/b/c/[ab]+$",
  "~^/a/c/[ab]+$",
  "~[ab]+$",
  "~^/a/b/(.)/\\1",
  "~^/a/b/(?<=b/)[ca]",
  "~^/a/b/(?<!a/)c",
  "~^/a/b/^c",
  "~^/a/b/\\bc",
  "~^/a/b/$",
  "~.",
];

// Small alphabets, so that most requests have several matches and the order decides.
describe("buildRouter()", () => {
  test.each([1, 2, 3, 4])(
    "answers as the linear router does over random tables, seed %i",
    (seed) => {
      const random = new SeededRandom(seed);
      let found = 0;
      for (let run = 0; run < 250; run++) {
        const rules = Array.from({ length: 1 + random.below(30) }, (_, n) => randomRule(random, n));
        expect(checkRules(rules)).toEqual([]);
        const routers = [buildRouter(rules), buildLinearRouter(rules)] as const;
        for (let request = 0; request < 40; request++) {
          const asked = [
            random.pick(METHODS),
            random.pick(ASKED_HOSTS),
            randomPath(random),
          ] as const;
          const [answer, wanted] = routers.map((router) => show(router, asked));
          if (answer !== wanted) {
            throw new Error(
              `${asked.join(" ")}: ${answer}, wanted ${wanted}\n${JSON.stringify(rules)}`,
            );
          }
          if (wanted !== "none") found++;
        }
      }
      expect(found).toBeGreaterThan(5_000);
    },
  );
});

function randomRule(random: SeededRandom, index: number): RouteRule<number> {
  return {
    id: `r${index}`,
    uris: Array.from({ length: 1 + random.below(2) }, () => randomUri(random)),
    hosts: random.chance(40) ? random.several(HOSTS, 2) : [],
    methods: random.chance(40) ? random.several(METHODS, 2) : [],
    priority: random.chance(30) ? random.below(3) - 1 : 0,
    value: index,
  };
}

function randomUri(random: SeededRandom): string {
  if (random.chance(15)) return random.pick(REGEXES);
  const parameterPercent = random.pick([0, 30, 70]);
  const segments = Array.from({ length: random.below(5) }, (_, n) =>
    random.chance(parameterPercent) ? `:p${n}` : random.pick(SEGMENTS),
  );
  const path = segments.map((segment) => `/${segment}`).join("");
  return path + (path === "" ? random.pick(["/", "/*"]) : random.pick(["", "", "/", "/*"]));
}

function randomPath(random: SeededRandom): string {
  const segments = Array.from({ length: random.below(6) }, () => random.pick([...SEGMENTS, "e"]));
  return `/${segments.join("/")}${segments.length > 0 && random.chance(25) ? "/" : ""}`;
}

function show(
  router: Router<number>,
  [method, host, path]: readonly [string, string, string],
): string {
  const match = router.match(method, host, path);
  return match === undefined ? "none" : `${match.rule.id} ${JSON.stringify(match.params)}`;
}
