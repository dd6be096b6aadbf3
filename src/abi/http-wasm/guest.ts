import { LiveTable } from "../../base/live-table.ts";
import { type Caller, type CallTime, GuestCore } from "../guest/guest-core.ts";
import type { GuestExchange } from "./guest-exchange.ts";
import type { HttpGuestName } from "./signatures.ts";

/** The features that a guest has enabled when it started: they hold for all its exchanges. */
export type InitFeatures = number;

/** handle_request answers, handle_response does not. */
type Handler = (...args: readonly number[]) => bigint | undefined;

/**
 * A guest of the http-wasm ABI. It knows its exchanges by the number that it has chosen itself;
 * host functions work on the exchange whose call is running.
 */
export class HttpWasmGuest extends GuestCore<InitFeatures> {
  features: InitFeatures = 0;
  readonly exchanges = new LiveTable<GuestExchange>();
  #nextNumber = 0;
  /** Whose call is running; undefined: none's, it is being started. */
  exchange: GuestExchange | undefined;

  /**
   * Runs an export for an exchange.
   * @throws GatewayError when the guest is, or by this call gets, unusable
   */
  call(name: HttpGuestName, exchange: GuestExchange, args: readonly number[]): bigint | undefined {
    if (this.failure !== undefined) throw this.failure;
    this.assertIdle(name);
    const callback = this.exports[name] as unknown as Handler;
    this.exchange = exchange;
    return this.enter(name, exchange, () => callback(...args), this.#timeFor(exchange));
  }

  /** @returns the number by which it can be taken out of `exchanges` again */
  enlist(exchange: GuestExchange): number {
    const number = this.exchanges.free(this.#nextNumber);
    this.#nextNumber = number + 1;
    this.exchanges.set(number, exchange);
    return number;
  }

  override get state(): InitFeatures {
    return this.features;
  }

  override get isAtRest(): boolean {
    return !this.running && this.exchanges.size === 0;
  }

  override get hasEvents(): boolean {
    return false;
  }

  override get callers(): number {
    return this.exchanges.size;
  }

  override adopt(features: InitFeatures): void {
    this.features = features;
  }

  override retire(): void {}

  protected override dropCallers(): Caller[] {
    const exchanges = this.exchanges.values();
    this.exchanges.clear();
    return exchanges;
  }

  protected override left(): void {
    this.exchange = undefined;
  }

  protected override halted(): void {}

  protected override reset(): void {
    this.exchanges.clear();
  }

  #timeFor(exchange: GuestExchange): CallTime {
    const { deadlineMs } = this.resources.settings.limits;
    if (exchange.leftMs >= deadlineMs) return { ms: deadlineMs, word: "limits.deadline" };
    return { ms: exchange.leftMs, word: "left of limits.total" };
  }
}
