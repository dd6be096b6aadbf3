/** What src/tidy.test.ts does not let into the repository, and what to write instead. */
/** Where time is not an exchange's: the wheel itself, the watch, processes, the test upstream. */
const HAS_TIMERS = /^src\/(?:base\/deadlines|config\/watch|gateway\/|httpbin\/)/;

export interface Ban {
  readonly pattern: RegExp;
  /** Which files; every file when it is left out. */
  readonly where?: (path: string) => boolean;
  /** True: comments and strings count too. */
  readonly raw?: boolean;
  readonly instead: string;
  /** Line that must be reported in `badPath`, and one that must not. */
  readonly bad: string;
  readonly badPath: string;
  readonly good: string;
}

export const BANS: readonly Ban[] = [
  {
    pattern: /\bconsole\.\w+/,
    where: (path) => isProduct(path) && !path.startsWith("src/cli/"),
    instead: "use log from src/base/log.ts; only src/cli/ prints to stdout",
    bad: 'console.log("up");',
    badPath: "src/proxy/a.ts",
    good: 'log.info("up"); // console.log',
  },
  {
    pattern: /\bset(?:Timeout|Interval)\(/,
    where: (path) => isProduct(path) && !HAS_TIMERS.test(path),
    instead: "arm a deadline of src/base/deadlines.ts",
    bad: "setTimeout(fire, 10);",
    badPath: "src/upstream/a.ts",
    good: "deadlines.arm(10, fire);",
  },
  {
    pattern:
      /\b(?:Bun\.sleep(?:Sync)?\((?!(?:\d|10)\))|setTimeout\((?:resolve|done|r)\b)(?!.*\/\/)/,
    where: (path) => path.endsWith(".test.ts"),
    raw: true,
    instead:
      "await the condition itself, asking every 10 ms at most; or say beside it why time counts",
    bad: "await Bun.sleep(50);",
    badPath: "test/e2e/a.test.ts",
    good: "while (!ready()) await Bun.sleep(10);",
  },
  {
    pattern: /\b(?:test|it|describe)\.(?:only|skip|todo|if|skipIf|todoIf|failing)\b/,
    where: isTest,
    instead: "run every test, every time",
    bad: 'test.skip("x", () => {});',
    badPath: "src/base/a.test.ts",
    good: 'test("x", () => {});',
  },
  {
    pattern: /\b(?:test|it)\(\s*["'`]should\b/,
    where: isTest,
    raw: true,
    instead: "name the criterion: parse() refuses an empty name",
    bad: 'test("should work", run);',
    badPath: "src/base/a.test.ts",
    good: 'test("parse() refuses an empty name", run);',
  },
  {
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    raw: true,
    instead: "do it now, or write it down as an issue",
    bad: "// TODO later",
    badPath: "src/base/a.ts",
    good: "// Nothing is left to do.",
  },
  {
    pattern: /(?<![$\w])\/(?:work|home|Users)\/[\w.-]+|(?<!bunfs)\/root\/[\w.-]+/,
    where: (path) => !isTest(path),
    raw: true,
    instead: "name no folder of one machine",
    bad: 'const file = "/home/ada/gateway.yaml";',
    badPath: "docs/A.md",
    good: 'const file = "/etc/sluice/gateway.yaml";',
  },
  {
    pattern: /registry\.npmjs|"resolved":/,
    raw: true,
    instead: "name no package registry: which one is used is the user's choice",
    bad: '"resolved": "https://host/x.tgz"',
    badPath: "package-lock.json",
    good: '"integrity": "sha512-"',
  },
  {
    pattern: /\b(?:interface|type|class)\s+I[A-Z][a-z]{2}/,
    where: (path) => path.endsWith(".ts"),
    instead: "name the thing, without a prefix",
    bad: "export interface ILog {}",
    badPath: "src/base/a.ts",
    good: "export interface IPv4Range {}",
  },
];

/** Holds a sample of everything that is banned. */
export const SELF = ["test/tidy-bans.ts", "src/tidy.test.ts"];

/** Code of tests: the tests and what they share. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.endsWith("testing.ts") || path.startsWith("test/");
}

/** Code that ends up in the executable. */
export function isProduct(path: string): boolean {
  return path.startsWith("src/") && path.endsWith(".ts") && !isTest(path);
}
