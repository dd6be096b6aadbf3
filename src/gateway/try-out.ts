import type { PluginUse } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { type Plan, toSend } from "./messages.ts";
import { verdictOn } from "./verdict.ts";
import { HEARTBEAT_MS, type WorkerCommand, WorkerProcess } from "./worker-process.ts";

/**
 * Builds the generation in a process that serves nobody: a module that hangs or crashes the engine
 * takes this one down, and no worker.
 */
export async function tryOut(
  command: WorkerCommand,
  plan: Plan,
  onStart: (trial: WorkerProcess) => void = () => {},
): Promise<readonly Diagnostic[]> {
  const trial = new WorkerProcess(command);
  onStart(trial);
  const beat = setInterval(() => {
    if (!trial.beat()) trial.kill();
  }, HEARTBEAT_MS);
  try {
    const outcome = await trial.prepare(toSend(trialOf(plan)));
    return verdictOn(new Map([[trial, outcome]]), [trial], plan.config.file);
  } finally {
    clearInterval(beat);
    trial.kill();
  }
}

/** What a trial is about: every plugin with every configuration once, no ports and no keys. */
function trialOf(plan: Plan): Plan {
  const seen = new Set<string>();
  const isNew = (use: PluginUse): boolean => {
    const before = seen.size;
    return seen.add(JSON.stringify([use.name, use.config])).size > before;
  };
  const routes = plan.config.routes.filter(({ plugins }) => plugins.filter(isNew).length > 0);
  // A route that stands in for the global ones, in case no other is left.
  const first = plan.config.routes[0];
  const kept = routes.length === 0 && first !== undefined ? [first] : routes;
  return { ...plan, config: { ...plan.config, routes: kept }, certificates: [], listen: false };
}
