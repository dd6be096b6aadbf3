import type { PluginSum } from "./plugin-sums.ts";
import type { Collections, WorkerStatus } from "./worker-status.ts";

/** What the master knows of itself and of its workers: a snapshot for whoever shows it. */
export interface GatewayStatus {
  readonly state: "starting" | "serving" | "draining";
  /** When the master started, ms since 1970. */
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  /** Number of the generation that serves; 0 before the first. */
  readonly generation: number;
  /** How reloads have ended; the start is none. */
  readonly reloads: { readonly takenOver: number; readonly refused: number };
  readonly workersConfigured: number;
  /** Workers that were started in place of one that had ended. */
  readonly workerRestarts: number;
  readonly workers: readonly WorkerView[];
  /** Over all workers, those that have ended included. */
  readonly collections: Collections;
  /** Over all workers, those that have ended included. */
  readonly plugins: readonly PluginSum[];
}

export interface WorkerView {
  readonly pid: number;
  /** It finishes its last exchanges: fewer workers are wanted now. */
  readonly isLeaving: boolean;
  readonly status: WorkerStatus;
}

/** Workers that serve the current generation; while they change over, the next one counts too. */
export function servingWorkers({ generation, workers }: GatewayStatus): number {
  return workers.filter(
    ({ isLeaving, status }) =>
      !isLeaving && status.generation > 0 && status.generation >= generation,
  ).length;
}

export function isReady(status: GatewayStatus): boolean {
  const { state, workersConfigured } = status;
  return state === "serving" && servingWorkers(status) >= workersConfigured;
}
