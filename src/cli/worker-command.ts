import type { WorkerCommand } from "../gateway/worker-process.ts";

/** How the master starts a worker: this executable again, or Bun on this source tree. */
export function workerCommand(): WorkerCommand {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath, "worker"] : [process.execPath, Bun.main, "worker"];
}
