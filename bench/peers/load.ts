import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readH2load } from "./h2load.ts";

/** What a load generator does to one server. */
export interface Load {
  readonly connections: number;
  /** Begins with "/". */
  readonly path: string;
  /** bytes; of each request's body, which makes it a POST. */
  readonly postBytes?: number;
  /** TLS, whatever the certificate says. wrk only. */
  readonly tls?: boolean;
  /** A connection for each request. */
  readonly churns?: boolean;
  /** Requests go to /item0/ to the last of so many, instead of the path. */
  readonly items?: number;
  /** Left out: wrk. h2load can only send GETs to one path, and checks what wrk says. */
  readonly generator?: "h2load";
}

/** One run; times in µs. */
export interface Loaded {
  readonly requests: number;
  readonly micros: number;
  /** Of answers, those included that the end of the run has cut. */
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

interface Outcome extends Loaded {
  readonly errors: number;
}

/**
 * Loads a server for `seconds`, a whole number.
 * @param core of the load generator
 * @throws Error when it fails, or any request does
 */
export async function runLoad(
  port: number,
  load: Load,
  seconds: number,
  core: string,
): Promise<Loaded> {
  const run = load.generator === "h2load" ? runH2load : runWrk;
  const { errors, ...loaded } = await run(port, load, seconds, core);
  if (errors > 0 || loaded.requests === 0) {
    const seen = `${errors} errors beside ${loaded.requests} requests`;
    throw new Error(`Cannot trust a run of ${load.path} on port ${port}: ${seen}`);
  }
  return loaded;
}

async function runWrk(port: number, load: Load, seconds: number, core: string): Promise<Outcome> {
  const wrk = ["wrk", "-t", "1", "-c", String(load.connections), "-d", `${seconds}s`];
  const script = ["--timeout", "10s", "-s", join(import.meta.dir, "wrk.lua")];
  const close = load.churns === true ? ["-H", "Connection: close"] : [];
  const args = [String(load.postBytes ?? 0), String(load.items ?? 0)];
  const scheme = load.tls === true ? "https" : "http";
  const url = `${scheme}://127.0.0.1:${port}${load.path}`;
  const output = await outputOf([...wrk, ...script, ...close, url, "--", ...args], core);
  const line = output.split("\n").findLast((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`Cannot read what wrk says:\n${output}`);
  return JSON.parse(line) as Outcome;
}

async function runH2load(
  port: number,
  load: Load,
  seconds: number,
  core: string,
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "h2load-"));
  try {
    const log = join(folder, "log");
    const clients = ["-t", "1", "-c", String(load.connections), "-D", String(seconds)];
    const url = `http://127.0.0.1:${port}${load.path}`;
    const cmd = ["h2load", "--h1", ...clients, `--log-file=${log}`, url];
    return readH2load(await outputOf(cmd, core), await Bun.file(log).text());
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function outputOf(cmd: readonly string[], core: string): Promise<string> {
  const child = Bun.spawn({
    cmd: ["taskset", "-c", core, ...cmd],
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await child.stdout.text();
  if ((await child.exited) === 0) return output;
  throw new Error(`Cannot load a server: ${cmd[0]} ended with ${child.exitCode}:\n${output}`);
}
