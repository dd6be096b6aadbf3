import { Breaker, type BreakerSettings, type BreakerState } from "../../wasm/sandbox/breaker.ts";
import type { TrapKind } from "../../wasm/trap.ts";
import type { GuestLog } from "./guest-log.ts";

/** How one plugin does: what has failed, and whether it is still tried. */
export class Health {
  readonly #breaker: Breaker;
  readonly #failures = new Map<TrapKind | "start", number>();

  constructor(settings: BreakerSettings, log: GuestLog, nowMs: () => number) {
    this.#breaker = new Breaker(settings, nowMs, (state) => {
      const level = state === "open" ? "error" : "warn";
      log.tell(level, `breaker is ${state}: ${meaning(state, settings)}`);
    });
  }

  get breaker(): Breaker {
    return this.#breaker;
  }

  /** Count by kind, of those that have happened. */
  get failures(): ReadonlyMap<TrapKind | "start", number> {
    return this.#failures;
  }

  failed(kind: TrapKind | "start"): void {
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
    this.#breaker.failed();
  }

  succeeded(): void {
    this.#breaker.succeeded();
  }
}

function meaning(state: BreakerState, { failures, windowMs, openMs }: BreakerSettings): string {
  if (state === "closed") return "it works again";
  if (state === "half-open") return "one exchange tries it again";
  const bound = `the bound is ${failures} failures in ${windowMs} ms`;
  return `it fails too often (${bound}), and is not tried again for ${openMs} ms`;
}
