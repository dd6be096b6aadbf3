import { join } from "node:path";

/** What a load generator does to one server. */
export interface Load {
  readonly connections: number;
  /** Begins with "/". */
  readonly path: string;
  /** bytes; of each request's body, which makes it a POST. */
  readonly postBytes?: number;
  /** A connection for each request. */
  readonly churns?: boolean;
}

/** One run; times in µs. */
export interface Loaded {
  readonly requests: number;
  readonly micros: number;
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly errors: number;
}

/**
 * Runs wrk for `seconds`.
 * @param core of the load generator
 * @throws Error when it fails, or any request does
 */
export async function runLoad(
  port: number,
  load: Load,
  seconds: number,
  core: string,
): Promise<Loaded> {
  const wrk = ["wrk", "-t", "1", "-c", String(load.connections), "-d", `${seconds}s`];
  const script = ["--timeout", "10s", "-s", join(import.meta.dir, "wrk.lua")];
  const close = load.churns === true ? ["-H", "Connection: close"] : [];
  const url = `http://127.0.0.1:${port}${load.path}`;
  const cmd = ["taskset", "-c", core, ...wrk, ...script, ...close, url];
  const child = Bun.spawn({
    cmd: [...cmd, "--", String(load.postBytes ?? 0)],
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await child.stdout.text();
  const line = output.split("\n").findLast((each) => each.startsWith("{"));
  if ((await child.exited) !== 0 || line === undefined) {
    throw new Error(`Cannot load port ${port}: wrk ended with ${child.exitCode}:\n${output}`);
  }
  const loaded = JSON.parse(line) as Loaded;
  if (loaded.errors > 0 || loaded.requests === 0) {
    const seen = `${loaded.errors} errors beside ${loaded.requests} requests`;
    throw new Error(`Cannot trust a run of ${load.path} on port ${port}: ${seen}`);
  }
  return loaded;
}
