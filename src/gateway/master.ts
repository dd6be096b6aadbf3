import { cpus } from "node:os";
import { messageOf } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { isErrorTerminal, printError } from "../base/standard-streams.ts";
import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { loadConfig } from "../config/load.ts";
import { renderDiagnostics } from "../config/render.ts";
import { type ConfigWatch, type WatchedInputs, watchConfig } from "../config/watch.ts";
import { BUNDLED_PLUGINS } from "./bundled-plugins.ts";
import { readCertificates } from "./certificates.ts";
import type { ControlPorts, StartControlPorts } from "./control-ports.ts";
import type { GatewayStatus } from "./gateway-status.ts";
import type { Plan } from "./messages.ts";
import { readModules } from "./modules.ts";
import { assignPorts, takenListeners } from "./ports.ts";
import type { Workers } from "./workers.ts";

/** What loading has found out, good or bad; `text` is the file, for rendering. */
export type Loaded =
  | { ok: true; config: Config; plan: Plan; warnings: readonly Diagnostic[]; text: string }
  | { ok: false; diagnostics: readonly Diagnostic[]; text: string };

/** Reads the file and everything that it names: the one way from YAML to what workers build. */
export async function loadPlan(file: string, number: number): Promise<Loaded> {
  const loaded = await loadConfig(file, {
    env: process.env,
    cores: cpus().length,
    bundledPlugins: BUNDLED_PLUGINS,
  });
  if (!loaded.ok) return loaded;
  const { config, text } = loaded;
  const { modules, diagnostics: ofModules } = await readModules(config);
  const { certificates: read, diagnostics: ofCertificates } = await readCertificates(config);
  const diagnostics = [...ofCertificates, ...ofModules];
  const warnings = [...loaded.warnings, ...diagnostics];
  if (diagnostics.some(({ severity }) => severity === "error")) {
    return { ok: false, diagnostics: warnings, text };
  }
  const certificates = config.listeners.some(({ tls }) => tls) ? read : [];
  const plan = { number, config, modules, certificates, listen: true };
  return { ok: true, config, plan, warnings, text };
}

/**
 * The control plane: loads, checks, hands generations to the workers, and carries no traffic.
 *
 *   starting ──first generation──▶ serving ──SIGTERM──▶ draining ──workers ended──▶ stopped
 *                                   │  ▲
 *                                   └──┘ reload: a whole new generation, or the old one stays
 */
export class Master {
  readonly #file: string;
  readonly #workers: Workers;
  readonly #control: ControlPorts;
  readonly #startedAt = { wallMs: Date.now(), ms: performance.now() };
  readonly #ports = new Map<string, number>();
  readonly #reloads = { takenOver: 0, refused: 0 };
  #config: Config | undefined;
  #number = 0;
  #watch: ConfigWatch | undefined;
  #reloading: Promise<void> | undefined;
  #reloadAgain = false;
  #stopping = false;

  constructor(file: string, workers: Workers, startControlPorts: StartControlPorts) {
    this.#file = file;
    this.#workers = workers;
    this.#control = startControlPorts(() => this.#status());
  }

  /** Serves until it is told to stop. @returns the exit code: 1 when the first file is refused */
  async run(): Promise<number> {
    // Before the file is read for the first time, so that no edit falls between the two.
    this.#watch = watchConfig({
      ...this.#inputs(),
      onChange: () => this.reload("a file has changed"),
    });
    const first = this.#load();
    this.#reloading = first.then(ignore, ignore);
    const problems = await first;
    this.#reloading = undefined;
    if (problems !== undefined) {
      printError(problems);
      await this.#stop(0);
      return 1;
    }
    this.#watch.update(this.#inputs());
    const stopped = this.#untilSignalled();
    if (this.#reloadAgain) {
      this.#reloadAgain = false;
      this.reload("a file has changed");
    }
    const workers = this.#config?.workers;
    log.info("serving", { workers, file: this.#file, took_ms: since(this.#startedAt.ms) });
    await stopped;
    return 0;
  }

  /** Loads the file again; what comes in meanwhile is one more reload afterwards. */
  reload(reason: string): void {
    if (this.#stopping) return;
    if (this.#reloading !== undefined) {
      this.#reloadAgain = true;
      return;
    }
    this.#reloading = this.#reload(reason)
      .catch((error: unknown) => {
        this.#reloads.refused++;
        log.error("reload has failed", { error: messageOf(error) });
      })
      .finally(() => {
        this.#reloading = undefined;
        if (!this.#reloadAgain) return;
        this.#reloadAgain = false;
        this.reload(reason);
      });
  }

  async #reload(reason: string): Promise<void> {
    const startedAt = performance.now();
    const problems = await this.#load();
    if (this.#stopping) return;
    if (problems !== undefined) {
      this.#reloads.refused++;
      printError(problems);
      log.error("reload refused, the last valid configuration goes on serving", {
        reason,
        generation: this.#number,
      });
      return;
    }
    this.#reloads.takenOver++;
    this.#watch?.update(this.#inputs());
    log.info("reloaded", { reason, generation: this.#number, took_ms: since(startedAt) });
  }

  /** @returns the rendered problems; undefined when the new generation serves */
  async #load(): Promise<string | undefined> {
    const loaded = await loadPlan(this.#file, this.#number + 1);
    if (!loaded.ok) return render(loaded.diagnostics, loaded.text);
    if (this.#stopping) return "";
    const refused = await this.#takeOver(loaded.plan).finally(() => {
      this.#control.keepOnly(this.#config);
    });
    if (refused === "stopping") return "";
    if (refused.length > 0) return render(refused, loaded.text);
    if (loaded.warnings.length > 0) {
      printError(render(loaded.warnings, loaded.text));
    }
    return undefined;
  }

  /** @returns why not; empty when it serves */
  async #takeOver(plan: Plan): Promise<readonly Diagnostic[] | "stopping"> {
    // First, so that what the system chooses for the workers' port 0 is no port of ours.
    const unopened = await this.#control.open(plan.config);
    const config = assignPorts(plan.config, this.#ports);
    const taken = [...unopened, ...takenListeners(config, this.#config?.listeners ?? [])];
    if (taken.length > 0) return taken;
    const refused = await this.#workers.apply({ ...plan, config }, () => {
      announce(config);
      // Not earlier: loading it takes time from the worker that builds, and keeps its messages
      // waiting. It finds what has changed before.
      void this.#watch?.begin();
    });
    if (refused.length > 0) return refused;
    this.#number++;
    this.#config = config;
    log.configure(config.log);
    return refused;
  }

  #status(): GatewayStatus {
    const serving = this.#config === undefined ? "starting" : "serving";
    return {
      state: this.#stopping ? "draining" : serving,
      startedAtMs: this.#startedAt.wallMs,
      uptimeMs: since(this.#startedAt.ms),
      generation: this.#number,
      reloads: { ...this.#reloads },
      workersConfigured: this.#config?.workers ?? 0,
      workerRestarts: this.#workers.restarts,
      workers: this.#workers.views,
      collections: this.#workers.collections,
      plugins: this.#workers.plugins,
    };
  }

  /** What a change of has to be noticed: the file, certificates, modules outside the executable. */
  #inputs(): WatchedInputs {
    const { pluginsDir, plugins = [], ssls = [] } = this.#config ?? {};
    const bundled = new Set(BUNDLED_PLUGINS.values());
    return {
      file: this.#file,
      directories: pluginsDir === undefined ? [] : [pluginsDir],
      files: [
        ...plugins.map(({ file }) => file).filter((file) => !bundled.has(file)),
        ...ssls.flatMap(({ cert, key }) => [cert.file, key.file]),
      ],
    };
  }

  /** SIGTERM and SIGINT drain; a second one ends at once. SIGHUP reloads. */
  #untilSignalled(): Promise<void> {
    return new Promise((resolve) => {
      const stop = (signal: string): void => {
        if (this.#stopping) process.exit(1);
        this.#stopping = true;
        const drainMs = this.#config?.drainMs ?? 0;
        log.info("draining", { signal, drain_ms: drainMs });
        void this.#stop(drainMs).then(() => {
          log.info("stopped");
          resolve();
        });
      };
      process.on("SIGTERM", () => stop("SIGTERM"));
      process.on("SIGINT", () => stop("SIGINT"));
      process.on("SIGHUP", () => this.reload("SIGHUP"));
    });
  }

  async #stop(drainMs: number): Promise<void> {
    await this.#watch?.close();
    await this.#workers.stop(drainMs);
    // Last, so that who asks is told of the draining.
    this.#control.keepOnly(undefined);
  }
}

function render(diagnostics: readonly Diagnostic[], text: string): string {
  return renderDiagnostics(diagnostics, text, { color: isErrorTerminal() });
}

/** The first worker serves; the others follow. */
function announce(config: Config): void {
  log.configure(config.log);
  for (const { host, port } of config.listeners) {
    log.info("listening", { address: `${host.includes(":") ? `[${host}]` : host}:${port}` });
  }
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}

function ignore(): void {}
