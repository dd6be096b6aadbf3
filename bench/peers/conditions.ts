import { cpus, release } from "node:os";
import { versionOf } from "./contestant.ts";
import type { Load } from "./load.ts";

/** Machine, and what loads the gateways, if anything does. */
export async function conditions(load?: Load): Promise<string> {
  const cores = `${cpus().length} cores (${cpus()[0]?.model})`;
  const machine = `${cores}, ${process.arch}, Linux ${release()}`;
  if (load === undefined) return machine;
  const tool = load.generator ?? "wrk";
  const version = await versionOf([tool, tool === "wrk" ? "-v" : "--version"]);
  return `${machine}, with ${tool} ${version}`;
}
