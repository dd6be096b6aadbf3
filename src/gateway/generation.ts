import { assert } from "../base/assert.ts";
import { messageOf } from "../base/errors.ts";
import type { Config, PluginConfig, PluginUse } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { Plugin } from "../filter/filter.ts";
import { proxyRewrite, type ProxyRewriteOptions } from "../filter/native/proxy-rewrite.ts";
import type { ServedGeneration, ServedRoute } from "../proxy/served.ts";
import { buildRouter, checkRules, type Router, type RuleProblem } from "../router/router.ts";
import type { NodePools } from "../upstream/node-pools.ts";
import { Upstream } from "../upstream/upstream.ts";
import { ModuleError } from "../wasm/binary/module-error.ts";
import { type LoadedModule, loadModule } from "../wasm/module.ts";
import { startModule } from "../abi/start-module.ts";
import { moduleKey, type Plan } from "./messages.ts";
import { createPluginHost, type Surroundings, type VisibleGeneration } from "./plugin-host.ts";
import { refusedModule } from "./plugin-problem.ts";
import type { PluginRegistry } from "./plugin-registry.ts";

/** What generations of one worker share. */
export interface Shared {
  readonly pools: NodePools;
  readonly plugins: PluginRegistry;
  readonly surroundings: Surroundings;
  /** Set while a generation is being built, for the plugins that it starts. */
  building: VisibleGeneration | undefined;
}

/**
 * Everything built from one configuration: immutable once built, freed when it is retired and its
 * last exchange has ended.
 *
 *   building ──▶ current ──retire()──▶ draining ──last leave()──▶ freed
 */
export class Generation implements ServedGeneration {
  readonly number: number;
  readonly config: Config;
  readonly limits;
  readonly router: Router<ServedRoute>;
  /** Compiled modules by moduleKey(), so that the next generation need not compile them again. */
  readonly modules: ReadonlyMap<string, LoadedModule>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly #free: () => void;
  #exchanges = 0;
  #retired = false;

  constructor(parts: {
    plan: Plan;
    router: Router<ServedRoute>;
    modules: ReadonlyMap<string, LoadedModule>;
    upstreams: ReadonlyMap<string, Upstream>;
    free: () => void;
  }) {
    this.number = parts.plan.number;
    this.config = parts.plan.config;
    this.limits = parts.plan.config.limits;
    this.router = parts.router;
    this.modules = parts.modules;
    this.upstreams = parts.upstreams;
    this.#free = parts.free;
  }

  enter(): void {
    this.#exchanges++;
  }

  leave(): void {
    this.#exchanges--;
    assert(this.#exchanges >= 0, "Cannot leave a generation more often than it was entered");
    if (this.#retired && this.#exchanges === 0) this.#free();
  }

  /** No new exchange begins on it. @returns false when it is freed at once */
  retire(): boolean {
    assert(!this.#retired, "Cannot retire a generation twice");
    this.#retired = true;
    if (this.#exchanges === 0) this.#free();
    return this.#exchanges > 0;
  }
}

/** The diagnostics of a generation that cannot be built. */
export class GenerationRefused extends Error {
  override readonly name = "GenerationRefused";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(`Cannot build the generation: ${diagnostics.map((d) => d.message).join("; ")}`);
    this.diagnostics = diagnostics;
  }
}

/**
 * Builds and starts everything beside what is running; a failure takes down what it had started.
 * @param onFreed the last exchange of the retired generation has ended
 * @throws GenerationRefused with every problem
 */
export function buildGeneration(
  plan: Plan,
  previous: Generation | undefined,
  shared: Shared,
  onFreed: (generation: number) => void,
): Generation {
  const build = new Build(plan, shared);
  try {
    const modules = build.modules(previous);
    const upstreams = build.upstreams();
    const router = build.router(upstreams, modules);
    if (build.diagnostics.length > 0) throw new GenerationRefused(build.diagnostics);
    const free = (): void => {
      build.undo();
      onFreed(plan.number);
    };
    return new Generation({ plan, router, modules, upstreams, free });
  } catch (error) {
    build.undo();
    throw error;
  }
}

/** One build: collects problems, and how to take down what it has started. */
class Build {
  readonly diagnostics: Diagnostic[] = [];
  readonly #plan: Plan;
  readonly #shared: Shared;
  readonly #plugins = new Map<string, Plugin | undefined>();
  readonly #undo: (() => void)[] = [];

  constructor(plan: Plan, shared: Shared) {
    this.#plan = plan;
    this.#shared = shared;
  }

  undo(): void {
    for (const step of this.#undo.toReversed()) step();
    this.#undo.length = 0;
  }

  modules(previous: Generation | undefined): Map<string, LoadedModule> {
    const loaded = new Map<string, LoadedModule>();
    for (const module of this.#plan.modules) {
      const { name, hash, settings, bytes } = module;
      const key = moduleKey(module);
      const known = loaded.get(key) ?? previous?.modules.get(key);
      if (known !== undefined) {
        loaded.set(key, known);
        continue;
      }
      assert(bytes !== undefined, `Cannot find the bytes of plugin ${name} (${hash})`);
      try {
        loaded.set(key, loadModule(bytes, settings));
      } catch (error) {
        if (error instanceof ModuleError) {
          this.diagnostics.push(refusedModule(this.#plan.config, name, error));
        } else this.#report(name, undefined, messageOf(error));
      }
    }
    return loaded;
  }

  upstreams(): Map<string, Upstream> {
    const upstreams = new Map<string, Upstream>();
    for (const config of this.#plan.config.upstreams) {
      const upstream = new Upstream(config, this.#shared.pools);
      this.#undo.push(() => upstream.release());
      upstreams.set(config.id, upstream);
    }
    return upstreams;
  }

  router(
    upstreams: ReadonlyMap<string, Upstream>,
    modules: ReadonlyMap<string, LoadedModule>,
  ): Router<ServedRoute> {
    const { number, config } = this.#plan;
    this.#shared.building = { number, config, upstreams: undefined };
    const rules = config.routes.map((route) => {
      const upstream = upstreams.get(route.upstreamId);
      assert(upstream !== undefined, `Cannot find upstream ${route.upstreamId} of ${route.id}`);
      const plugins = [...config.globalPlugins, ...route.plugins]
        .map((use) => this.#plugin(use, modules))
        .filter((plugin) => plugin !== undefined);
      const value: ServedRoute = { id: route.id, upstream, timeout: route.timeout, plugins };
      return { ...route, value };
    });
    this.#shared.building = undefined;
    const problems = checkRules(rules);
    for (const problem of problems) this.#reportRule(problem);
    return buildRouter(problems.length > 0 ? [] : rules);
  }

  #plugin(use: PluginUse, modules: ReadonlyMap<string, LoadedModule>): Plugin | undefined {
    const key = this.#keyOf(use);
    if (this.#plugins.has(key)) return this.#plugins.get(key);
    const plugin = this.#startPlugin(use, key, modules);
    this.#plugins.set(key, plugin);
    return plugin;
  }

  #startPlugin(
    use: PluginUse,
    key: string,
    modules: ReadonlyMap<string, LoadedModule>,
  ): Plugin | undefined {
    if (use.native) return proxyRewrite(JSON.parse(use.config) as ProxyRewriteOptions);
    const settings = this.#settingsOf(use);
    const module = modules.get(this.#moduleKeyOf(use.name) ?? "");
    if (settings === undefined || module === undefined) return undefined; // Reported already.
    const host = createPluginHost(settings, use, this.#plan.number, this.#shared.surroundings);
    try {
      const plugin = this.#shared.plugins.acquire(key, () =>
        startModule(module, host, settings, settings.abi),
      );
      this.#undo.push(() => this.#shared.plugins.release(key));
      return plugin;
    } catch (error) {
      this.#report(use.name, use, messageOf(error));
      return undefined;
    }
  }

  /** Equal keys mean the same guest with the same rights. */
  #keyOf(use: PluginUse): string {
    const { position: _, ...settings } = this.#settingsOf(use) ?? {};
    const key = this.#moduleKeyOf(use.name);
    return JSON.stringify([use.name, use.native, key, settings, use.config]);
  }

  #settingsOf(use: PluginUse): PluginConfig | undefined {
    return this.#plan.config.plugins.find((plugin) => plugin.name === use.name);
  }

  #moduleKeyOf(name: string): string | undefined {
    const module = this.#plan.modules.find((each) => each.name === name);
    return module && moduleKey(module);
  }

  #reportRule({ ruleId, message, hint }: RuleProblem): void {
    const { config } = this.#plan;
    this.diagnostics.push({
      severity: "error",
      code: "ROUTE_REFUSED",
      message: `Cannot match route "${ruleId}": ${message}`,
      file: config.file,
      position: config.routes.find((route) => route.id === ruleId)?.position,
      hint,
    });
  }

  #report(name: string, use: PluginUse | undefined, message: string): void {
    const { config } = this.#plan;
    this.diagnostics.push({
      severity: "error",
      code: "PLUGIN_REFUSED",
      message: `Cannot start plugin "${name}": ${message}`,
      file: config.file,
      position: use?.position ?? config.plugins.find((plugin) => plugin.name === name)?.position,
      hint: undefined,
    });
  }
}
