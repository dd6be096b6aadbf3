import { printError } from "../base/standard-streams.ts";
import type { ToMaster } from "../gateway/messages.ts";
import { meter } from "../wasm/sandbox/meter.ts";

/** Not a command for people: without a master on the other end of its channel it ends at once. */
export async function worker(): Promise<number> {
  if (process.send === undefined) {
    printError("sluice: workers are started by `sluice run`\n");
    return 2;
  }
  // First of all: while that thread starts, this one loads what a worker is made of.
  const metering = meter.start();
  const { runWorker } = await import("../gateway/worker.ts");
  runWorker((message: ToMaster) => void process.send?.(message), metering);
  return new Promise(() => {}); // The master ends it, or its end does.
}
