import type { Diagnostic } from "../config/diagnostic.ts";
import type { Prepared, WorkerProcess } from "./worker-process.ts";

/** What has become of a plan in each process that was to build it. */
export type Outcomes = ReadonlyMap<WorkerProcess, Prepared>;

/**
 * @param judges workers whose death counts against the plan: they have done nothing else
 * @returns why the plan is refused
 */
export function verdictOn(
  outcomes: Outcomes,
  judges: readonly WorkerProcess[],
  file: string,
): readonly Diagnostic[] {
  let ready = 0;
  for (const [worker, outcome] of outcomes) {
    if (outcome.ok) ready++;
    else if (outcome.diagnostics !== "dead") return outcome.diagnostics;
    else if (judges.includes(worker)) return [workerDied(file)];
  }
  return ready === 0 ? [workerDied(file)] : [];
}

function workerDied(file: string): Diagnostic {
  return generationFailed(
    file,
    "Cannot build the generation: the process that built it ended or stopped answering; " +
      "a plugin may loop in its start function or in on_configure",
  );
}

export function generationFailed(file: string, message: string): Diagnostic {
  return {
    severity: "error",
    code: "GENERATION_FAILED",
    message,
    file,
    position: undefined,
    hint: undefined,
  };
}
