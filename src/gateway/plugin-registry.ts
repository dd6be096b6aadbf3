import type { Plugin } from "../filter/filter.ts";
import { endedPlugin, type PluginSum, PluginSums, runningPlugin } from "./plugin-sums.ts";

/**
 * The running plugins of one worker, shared by generations: the same module with the same settings
 * and configuration is started once, and lives as long as one generation uses it. So a reload that
 * does not concern a plugin keeps its guest, with its memory, timers and call-outs.
 */
export class PluginRegistry {
  readonly #running = new Map<string, { plugin: Plugin; uses: number }>();
  /** Counts of those that are closed: a reload must not take back what has been counted. */
  readonly #ended = new PluginSums();

  /** Number of running plugins. */
  get size(): number {
    return this.#running.size;
  }

  /** By name, of those that have, or had, guests. */
  get sums(): readonly PluginSum[] {
    const sums = new PluginSums();
    // First, because what comes later stays when there are too many names.
    for (const ended of this.#ended.all) sums.add(ended);
    for (const { plugin } of this.#running.values()) {
      const { status } = plugin;
      if (status !== undefined) sums.add(runningPlugin(status));
    }
    return sums.all;
  }

  /**
   * @param key names module, settings and configuration; equal keys share a plugin
   * @throws what `start` throws; nothing is kept then
   */
  acquire(key: string, start: () => Plugin): Plugin {
    const running = this.#running.get(key);
    if (running !== undefined) {
      running.uses++;
      return running.plugin;
    }
    const plugin = start();
    this.#running.set(key, { plugin, uses: 1 });
    return plugin;
  }

  /** One generation less uses it; the last one closes it. */
  release(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    running.uses--;
    if (running.uses > 0) return;
    this.#running.delete(key);
    const { status } = running.plugin;
    running.plugin.close();
    if (status !== undefined) this.#ended.add(endedPlugin(status));
  }
}
