/**
 * test/run.sh runs the end-to-end tests twice: on the front that `auto` stands for, and once more
 * with SLUICE_TEST_FRONT=serve. These run in the first pass only. Prints the others, of the paths
 * that it is given:
 *
 *   bun test/e2e/support/run-once.ts test/e2e
 */
import { join, normalize, relative } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "../../..");
/** Its file names FRONTS, which fronts.test.ts checks. */
export const BOTH = "each of its tests that depends on the front runs on both";

/** Files of test/e2e, and why once is enough. */
export const RUN_ONCE: Readonly<Record<string, string>> = {
  "acceptance.test.ts": "compares the http1 front with nginx and HAProxy",
  "bad-modules.test.ts": BOTH,
  "bodies.test.ts": BOTH,
  "commands.test.ts": BOTH,
  "examples.test.ts": "validates configurations, and starts no gateway",
  "image.test.ts": "looks at the files of the image, whose configuration is the shipped one",
  "late-traps.test.ts": BOTH,
  "malformed.test.ts": BOTH,
  "plugin-run.test.ts": "runs a plugin without a gateway",
  "proxying.test.ts": BOTH,
  "routing.test.ts": BOTH,
  "streaming.test.ts": BOTH,
  "support/support.test.ts": "tests what tests are made of",
  "tls.test.ts": BOTH,
  "upstream-failures.test.ts": BOTH,
  "watchdog.test.ts": "what it looks at passes between master and workers, not through a front",
  "websocket.test.ts": BOTH,
};

/** All test files of a folder of the repository, or the file itself; paths from its root. */
export function testFiles(path: string): string[] {
  const from = normalize(path);
  const files = [...new Glob("**/*.test.ts").scanSync({ cwd: join(ROOT, "test/e2e") })];
  return files
    .map((file) => `test/e2e/${file}`)
    .filter((file) => file === from || !relative(from, file).startsWith(".."))
    .toSorted();
}

/** Those that run again on the other front. */
export function runTwice(paths: readonly string[]): string[] {
  const files = new Set(paths.flatMap(testFiles));
  return [...files].filter((file) => !(file.slice("test/e2e/".length) in RUN_ONCE));
}

if (import.meta.main) {
  for (const file of runTwice(process.argv.slice(2))) process.stdout.write(`./${file}\n`);
}
