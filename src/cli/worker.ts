import { runWorker } from "../gateway/worker.ts";
import type { ToMaster } from "../gateway/messages.ts";
import type { WorkerCommand } from "../gateway/worker-process.ts";

/** How the master starts a worker: this executable again, or Bun on this source tree. */
export function workerCommand(): WorkerCommand {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath, "worker"] : [process.execPath, Bun.main, "worker"];
}

/** Not a command for people: without a master on the other end of its channel it ends at once. */
export async function worker(): Promise<number> {
  if (process.send === undefined) {
    process.stderr.write("sluice: workers are started by `sluice run`\n");
    return 2;
  }
  await runWorker((message: ToMaster) => void process.send?.(message));
  return new Promise(() => {}); // The master ends it, or its end does.
}
