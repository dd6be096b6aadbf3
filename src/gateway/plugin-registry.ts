import type { Plugin, PluginStatus } from "../filter/filter.ts";

/**
 * The running plugins of one worker, shared by generations: the same module with the same settings
 * and configuration is started once, and lives as long as one generation uses it. So a reload that
 * does not concern a plugin keeps its guest, with its memory, timers and call-outs.
 */
export class PluginRegistry {
  readonly #running = new Map<string, { plugin: Plugin; uses: number }>();

  /** Number of running plugins. */
  get size(): number {
    return this.#running.size;
  }

  /** Of those that have guests. */
  get status(): readonly PluginStatus[] {
    return [...this.#running.values()].map(({ plugin }) => plugin.status).filter((each) => !!each);
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
    running.plugin.close();
  }
}
