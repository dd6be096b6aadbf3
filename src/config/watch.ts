import { realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { FSWatcher } from "chokidar";
import { messageOf } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { ABSENT, contentHash, type Fingerprint, fingerprintOf, modulesIn } from "./fingerprint.ts";

/**
 * Tells when the configuration or a module has another content than before.
 *
 *   notification ─┐
 *                 ├─▶ quiet for debounceMs ─▶ stat all inputs ─▶ hash what differs ─▶ onChange()
 *   every pollMs ─┘
 *
 * Notifications are only a nudge, the content decides: one save is several events, a touched file
 * is none, and file systems without notifications (network mounts, a bind-mounted file) are noticed
 * by the poll. Folders are watched, not files: a watched file is lost when an editor renames a new
 * one over it, and a Kubernetes ConfigMap changes by the swap of the link `..data` beside the file.
 */
export interface WatchedInputs {
  /** gateway.yaml. */
  readonly file: string;
  /** Every *.wasm in them is watched. */
  readonly directories: readonly string[];
  /** Further files: modules of another suffix. */
  readonly files?: readonly string[] | undefined;
}

export interface WatchOptions extends WatchedInputs {
  /** @param changed absolute paths of the files that have changed, came or went */
  readonly onChange: (changed: readonly string[]) => void;
  /** Quiet time after an event, so that a file is not read while it is written; default 100. */
  readonly debounceMs?: number;
  /** Time between two looks at the files without any event; default 2000, 0 for none. */
  readonly pollMs?: number;
}

export interface ConfigWatch {
  /**
   * Reports from now on, also what has changed since watchConfig(): loading the watch takes longer
   * than knowing the files, and a start need not wait for it. Once.
   */
  begin(): Promise<void>;
  /** Watches other inputs from now on; what is new among them counts as unchanged. */
  update(inputs: WatchedInputs): void;
  /** After it onChange is not called. Idempotent. */
  close(): Promise<void>;
}

/** Knows the files as they are now; reports nothing before begin(). */
export function watchConfig(options: WatchOptions): ConfigWatch {
  return new Watch(options);
}

const DEBOUNCE_MS = 100;
const POLL_MS = 2000;
/** When events never cease (of other files, perhaps), a look comes after that many quiet times. */
const PATIENCE = 10;

interface Known {
  fingerprint: Fingerprint;
  /** undefined until it has been read for the first time. */
  hash: string | undefined;
}

class Watch implements ConfigWatch {
  readonly #onChange: WatchOptions["onChange"];
  readonly #debounceMs: number;
  readonly #pollMs: number;
  #watcher: FSWatcher | undefined;
  #poll: Timer | undefined;
  readonly #known = new Map<string, Known>();
  #inputs: WatchedInputs;
  #folders = new Set<string>();
  /** Names of the files themselves. */
  readonly #names = new Set<string>();
  #quiet: Timer | undefined;
  #firstNudgeMs: number | undefined;
  /** The checks, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WatchOptions) {
    this.#onChange = options.onChange;
    this.#debounceMs = options.debounceMs ?? DEBOUNCE_MS;
    this.#pollMs = options.pollMs ?? POLL_MS;
    this.#inputs = options;
    this.update(options);
  }

  async begin(): Promise<void> {
    const { watch } = await import("chokidar");
    if (this.#closed) return;
    const pollMs = this.#pollMs;
    this.#watcher = watch([...this.#folders], {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => !this.#isOfInterest(path),
    });
    this.#watcher.on("all", () => this.#nudge());
    this.#watcher.on("error", (error) => {
      log.warn("files are watched by polling only", { error: messageOf(error), poll_ms: pollMs });
    });
    if (pollMs > 0) this.#poll = setInterval(() => this.#poke(), pollMs);
    this.#poke();
  }

  update(inputs: WatchedInputs): void {
    if (this.#closed) return;
    this.#inputs = inputs;
    const paths = new Set(this.#paths());
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
    for (const path of paths) {
      if (this.#known.has(path)) continue;
      this.#known.set(path, { fingerprint: fingerprintOf(path), hash: undefined });
    }
    this.#watchFolders();
    this.#enqueue(() => this.#readUnread());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#quiet);
    await this.#watcher?.close();
    await this.#work;
  }

  /** An event: look when nothing has happened for a while, within the patience. */
  #nudge(): void {
    if (this.#closed || this.#watcher === undefined) return;
    const nowMs = performance.now();
    this.#firstNudgeMs ??= nowMs;
    const patienceMs = this.#firstNudgeMs + PATIENCE * this.#debounceMs - nowMs;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(
      () => this.#check(),
      Math.max(0, Math.min(this.#debounceMs, patienceMs)),
    );
  }

  /** The poll: a nudge when anything looks different. */
  #poke(): void {
    if (this.#quiet === undefined && this.#different().length > 0) this.#nudge();
  }

  #check(): void {
    this.#quiet = undefined;
    this.#firstNudgeMs = undefined;
    this.#enqueue(() => this.#report());
  }

  #enqueue(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => {
      log.error("watched files cannot be compared", { error: messageOf(error) });
    });
  }

  /** Hashes what looks different, and reports what is. */
  async #report(): Promise<void> {
    const seen = new Map<string, Known>();
    for (const path of this.#different()) {
      const fingerprint = fingerprintOf(path);
      const hash = await contentHash(path);
      if (fingerprintOf(path).text !== fingerprint.text) {
        this.#nudge(); // It is being written: another look later, and nothing before it.
        return;
      }
      seen.set(path, { fingerprint, hash });
    }
    const changed: string[] = [];
    for (const [path, now] of seen) {
      const before = this.#known.get(path);
      const hashBefore = before === undefined ? ABSENT.text : before.hash;
      if (now.hash !== hashBefore) changed.push(path);
      this.#known.set(path, now);
    }
    this.#watchFolders();
    if (changed.length > 0 && !this.#closed) this.#onChange(changed);
  }

  /** Files that may have another content than known, those that came and those that went. */
  #different(): string[] {
    const paths = new Set([...this.#paths(), ...this.#known.keys()]);
    return [...paths].filter((path) => {
      const known = this.#known.get(path);
      if (known === undefined) return true;
      return !known.fingerprint.isSettled || fingerprintOf(path).text !== known.fingerprint.text;
    });
  }

  /** The first hash of each file, unless it has changed in the meantime: then that is a change. */
  async #readUnread(): Promise<void> {
    for (const [path, known] of this.#known) {
      if (known.hash !== undefined || this.#closed) continue;
      const hash = await contentHash(path);
      if (fingerprintOf(path).text === known.fingerprint.text) known.hash = hash;
      else this.#nudge();
    }
  }

  #paths(): string[] {
    const { file, directories, files = [] } = this.#inputs;
    const modules = directories.flatMap((directory) => modulesIn(resolve(directory)));
    return [file, ...files].map((path) => resolve(path)).concat(modules);
  }

  /** The folders of all inputs, and those where links lead to. */
  #watchFolders(): void {
    if (this.#closed) return;
    const { file, directories, files = [] } = this.#inputs;
    const folders = new Set(directories.map((directory) => resolve(directory)));
    this.#names.clear();
    for (const path of [file, ...files]) {
      for (const place of [resolve(path), realPathOf(resolve(path))]) {
        folders.add(dirname(place));
        this.#names.add(basename(place));
      }
    }
    const before = this.#folders;
    this.#folders = folders;
    const gone = [...before].filter((folder) => !folders.has(folder));
    const added = [...folders].filter((folder) => !before.has(folder));
    if (gone.length > 0) this.#watcher?.unwatch(gone);
    if (added.length > 0) this.#watcher?.add(added);
  }

  /** Of a large folder only what matters; `..data` and its kind belong to Kubernetes. */
  #isOfInterest(path: string): boolean {
    const name = basename(path);
    if (name.endsWith(".wasm") || name.startsWith("..")) return true;
    return this.#names.has(name) || this.#folders.has(path);
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
