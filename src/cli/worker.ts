import { printError } from "../base/standard-streams.ts";
import { runWorker } from "../gateway/worker.ts";
import type { ToMaster } from "../gateway/messages.ts";

/** Not a command for people: without a master on the other end of its channel it ends at once. */
export async function worker(): Promise<number> {
  if (process.send === undefined) {
    printError("sluice: workers are started by `sluice run`\n");
    return 2;
  }
  await runWorker((message: ToMaster) => void process.send?.(message));
  return new Promise(() => {}); // The master ends it, or its end does.
}
