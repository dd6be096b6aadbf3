import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { Places } from "../shm/place.ts";
import type { ModuleSettings } from "../wasm/module.ts";
import type { Certificate } from "./certificates.ts";

/**
 * What master and workers say to each other over IPC (structured clone, so bytes travel as bytes).
 *
 *   master ──prepare──▶ worker    build the generation beside the current one
 *          ◀─prepared─            it stands ready (or `refused`, with the reasons)
 *          ──commit───▶           serve from it; the old one lives until its last exchange ends
 *          ──abort────▶           forget it: another worker has refused it
 *          ◀──wake────            another worker has to look into a queue: passed on to it
 *          ──gone─────▶           that worker has ended; who is told of its queues now?
 *          ──lead─────▶           its plugins tick, or tick no more, under `tick: leader`
 */
export type ToWorker =
  | { readonly type: "prepare"; readonly plan: SentPlan; readonly stores?: LentStores }
  | { readonly type: "commit"; readonly number: number }
  | { readonly type: "abort"; readonly number: number }
  | { readonly type: "ping"; readonly sequence: number }
  | { readonly type: "drain"; readonly drainMs: number }
  | { readonly type: "wake"; readonly queueId: number }
  | { readonly type: "gone" }
  | { readonly type: "lead"; readonly isLeader: boolean };

export type ToMaster =
  | { readonly type: "ready" }
  | { readonly type: "prepared"; readonly number: number }
  | {
      readonly type: "refused";
      readonly number: number;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly type: "committed"; readonly number: number }
  | { readonly type: "wake"; readonly serial: number; readonly queueId: number }
  /** @see encodeStatus() */
  | { readonly type: "pong"; readonly sequence: number; readonly status: string };

/** For a worker that has inherited the shared file; a trial has private stores. */
export interface LentStores {
  /** The worker's own, always the same. */
  readonly serial: number;
  readonly places: Places;
}

/** Everything that a worker needs to build a generation; no file is read by workers. */
export interface Plan {
  readonly number: number;
  readonly config: Config;
  /** Plugins by name; without its bytes what the worker's current generation has already. */
  readonly modules: readonly PlanModule[];
  /** With their keys, for the listeners that have TLS: none when none has, or for a trial. */
  readonly certificates: readonly Certificate[];
  /** False for a trial that must not open ports. */
  readonly listen: boolean;
}

/**
 * A plan on its way: the configuration as JSON, which is a third of the work of a structured clone.
 */
export interface SentPlan extends Omit<Plan, "config"> {
  readonly config: string;
}

export function toSend(plan: Plan): SentPlan {
  return { ...plan, config: JSON.stringify(plan.config) };
}

export interface PlanModule {
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** What is written into the module when it is loaded. */
  readonly settings: ModuleSettings;
  readonly bytes: Uint8Array | undefined;
}

/** Modules of the same key are the same when they are loaded. */
export function moduleKey({ hash, settings }: PlanModule): string {
  return `${hash} ${settings.memoryPages} ${settings.fuel}`;
}
