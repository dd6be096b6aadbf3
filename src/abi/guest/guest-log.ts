import { LIMITS } from "../../base/limits.ts";
import { LineRate } from "../../base/line-rate.ts";
import { type DeniedUse, LOG_LEVELS, type LogLevel, type PluginHost } from "../../filter/filter.ts";

/**
 * The lines that one plugin writes to the operator's log, its guests' and our own about it, within
 * LIMITS.guestLogLinesPerSecond and guestLogBytesPerSecond. Lives as long as the plugin, not as its
 * guest.
 */
export class GuestLog {
  readonly #host: PluginHost;
  readonly #nowMs: () => number;
  readonly #warned = new Set<string>();
  readonly #denied = new Set<string>();
  readonly #rate = new LineRate(LIMITS.guestLogLinesPerSecond, LIMITS.guestLogBytesPerSecond);
  #lastProblem: string | undefined;

  constructor(host: PluginHost, nowMs: () => number) {
    this.#host = host;
    this.#nowMs = nowMs;
  }

  /** Number of the level below which nothing is written. */
  get floor(): number {
    return LOG_LEVELS.indexOf(this.#host.logLevel);
  }

  /** The last line of the guest of level warn or above: why a start has failed, most likely. */
  get lastProblem(): string | undefined {
    return this.#lastProblem;
  }

  forgetProblem(): void {
    this.#lastProblem = undefined;
  }

  enabled(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.floor;
  }

  /** A line of the guest's. */
  write(level: LogLevel, message: string): void {
    if (level === "warn" || level === "error" || level === "critical") this.#lastProblem = message;
    this.tell(level, message);
  }

  /** A line of ours about the guest. */
  tell(level: LogLevel, message: string): void {
    if (!this.enabled(level) || !this.#rate.admit(this.#nowMs(), message.length)) return;
    this.flush();
    this.#host.log(level, message);
  }

  /** @param topic fixed words of ours, never the guest's: one line each, and no more for ever */
  warnOnce(topic: string, message: string): void {
    if (this.#warned.has(topic)) return;
    this.#warned.add(topic);
    this.tell("warn", message);
  }

  /** Each denied use once, LIMITS.deniedUsesLoggedMax of them: the guest chooses the name. */
  warnDenied(use: DeniedUse, name: string): void {
    const key = `${use} ${name.slice(0, LIMITS.guestNameBytesMax)}`;
    if (this.#denied.has(key) || this.#denied.size >= LIMITS.deniedUsesLoggedMax) return;
    this.#denied.add(key);
    this.tell("warn", this.#host.explainDenied(use, name));
  }

  /** Says how many lines were lost, when there were any. */
  flush(): void {
    const dropped = this.#rate.takeDropped();
    if (dropped === 0) return;
    const { guestLogLinesPerSecond: lines, guestLogBytesPerSecond: bytes } = LIMITS;
    this.#host.log(
      "warn",
      `${dropped} log lines dropped: more than ${lines} lines or ${bytes} bytes in a second`,
    );
  }
}
