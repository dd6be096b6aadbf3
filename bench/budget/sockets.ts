import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pickCores } from "../peers/cores.ts";
import { type Load, runLoad } from "../peers/load.ts";
import { freePort } from "../../test/support/free-port.ts";
import { PinnedServer } from "../peers/process.ts";
import { startUpstream } from "../peers/upstream.ts";
import { phaseNs } from "./phase.ts";
import type { Least } from "./work.ts";

/** Of a request that is only handed on: both sides of it. */
export interface SocketCosts {
  /** The runtime, and the few lines that hand the bytes on. */
  readonly runtime: Least;
  readonly kernel: Least;
}

export const LOAD: Load = { connections: 64, path: "/" };

/** For the engine to compile what the relay is. */
const WARM_UP_SECONDS = 3;

/** On a core of its own, as gateways are measured; of all rounds the cheapest one. */
export async function measureSockets(rounds: number, seconds: number): Promise<SocketCosts> {
  const cores = pickCores();
  const folder = await mkdtemp(join(tmpdir(), "budget-"));
  await using servers = new AsyncDisposableStack();
  servers.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755); // Workers of nginx, started by root, are another user.
  const upstream = servers.use(await startUpstream(join(folder, "upstream"), cores.load));
  const relay = servers.use(await startRelay(upstream.port, cores.gateway));
  await runLoad(relay.port, LOAD, WARM_UP_SECONDS, cores.load);
  let best: SocketCosts | undefined;
  let phase = phaseNs();
  for (let n = 0; n < rounds; n++) {
    const phaseBefore = phase;
    const before = relay.cpu();
    const { requests } = await runLoad(relay.port, LOAD, seconds, cores.load);
    const after = relay.cpu();
    phase = phaseNs();
    const least = (micros: number): Least => ({
      ns: (micros * 1000) / requests,
      phaseNs: (phaseBefore + phase) / 2,
    });
    const runtime = least(after.user - before.user);
    const kernel = least(after.system - before.system);
    if (best === undefined || sum({ runtime, kernel }) < sum(best)) best = { runtime, kernel };
  }
  if (best === undefined) throw new Error("Cannot measure sockets in no round");
  return best;
}

function sum({ runtime, kernel }: SocketCosts): number {
  return runtime.ns + kernel.ns;
}

/** @param upstream its port */
export async function startRelay(upstream: number, cores: string): Promise<PinnedServer> {
  const port = freePort();
  const relay = join(import.meta.dir, "../exchange/relay.ts");
  const cmd = [process.execPath, relay, String(port), String(upstream)];
  return PinnedServer.start({ cmd, cwd: import.meta.dir }, cores, port);
}
