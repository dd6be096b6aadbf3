import type { Action } from "../../filter/filter.ts";
import { GuestMemory } from "../../wasm/guest-memory.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { Health } from "../guest/health.ts";
import type { GuestSettings } from "../guest/settings.ts";
import { FakeFilterHost, FakePluginHost, TEST_SETTINGS } from "../proxy-wasm/testing.ts";
import { GuestExchange } from "./guest-exchange.ts";
import { HttpWasmGuest } from "./guest.ts";
import { httpHandlerFunctions } from "./host-functions.ts";
import type { Needs } from "./needs.ts";
import type { HttpHandlerName } from "./signatures.ts";

/** Stand-ins for http-wasm guests, for tests only. */

type Call = (...args: number[]) => number | bigint | void;
export type HttpHandler = Record<HttpHandlerName, Call>;
type Script = (http: HttpHandler) => void;

const MEMORY_PAGES = 16;
/** Where guests have host functions write. */
export const BUF = 64;
/** An address that lies outside of every test guest's memory. */
export const BAD = 0xffff_fff0;
/** As large as an i32 can be, as a guest passes it: -1. */
export const HUGE = -1;

export const NEEDS_NOTHING: Needs = { wholeRequest: false, wholeResponse: false, callbacks: 0 };
export const NEEDS_ALL: Needs = { wholeRequest: true, wholeResponse: true, callbacks: 63 };

/** A guest whose handlers are written in the test; its memory is real. */
export class ScriptedHttpGuest {
  readonly host = new FakePluginHost();
  readonly guest: HttpWasmGuest;
  readonly http: HttpHandler;
  readonly memory = new WebAssembly.Memory({ initial: MEMORY_PAGES });
  /** What handle_response was called with. */
  readonly responses: [ctx: number, isError: number][] = [];
  #free = 4096;
  #onRequest: Script = () => {};
  #onResponse: Script = () => {};
  #result = 1n;

  constructor(settings: Partial<GuestSettings> = {}) {
    const log = new GuestLog(this.host, () => 0);
    const health = new Health(TEST_SETTINGS.breaker, log, () => 0);
    this.guest = new HttpWasmGuest({
      host: this.host,
      log,
      settings: { ...TEST_SETTINGS, ...settings },
      health,
    });
    this.http = httpHandlerFunctions(this.guest) as unknown as HttpHandler;
    const exports = {
      handle_request: () => {
        this.#onRequest(this.http);
        return this.#result;
      },
      handle_response: (ctx: number, isError: number) => {
        this.responses.push([ctx, isError]);
        this.#onResponse(this.http);
      },
    };
    this.guest.attach(new GuestMemory(this.memory), exports as never);
  }

  exchange(host = new FakeFilterHost(), needs = NEEDS_NOTHING): GuestExchange {
    return new GuestExchange(this.guest, host, needs);
  }

  /** Runs handle_request on a request without a body. @param result what it answers */
  request(exchange: GuestExchange, script: Script, result = 1n): Action {
    this.handle({ onRequest: script, result });
    return exchange.onRequestHeaders(true);
  }

  /** Runs handle_response on a response without a body, after a request if there was none. */
  response(exchange: GuestExchange, script: Script): Action {
    if (exchange.phase === "waiting") this.request(exchange, () => {});
    this.handle({ onResponse: script });
    return exchange.onResponseHeaders(true);
  }

  /** What the handlers do from now on. */
  handle(scripts: { onRequest?: Script; onResponse?: Script; result?: bigint }): void {
    this.#onRequest = scripts.onRequest ?? (() => {});
    this.#onResponse = scripts.onResponse ?? (() => {});
    this.#result = scripts.result ?? 1n;
  }

  /** Writes text somewhere. @returns address and length, as host functions take them */
  put(text: string): [ptr: number, byteLength: number] {
    const bytes = Buffer.from(text, "latin1");
    const ptr = this.#free;
    this.#free += (bytes.byteLength + 7) & ~7;
    new Uint8Array(this.memory.buffer).set(bytes, ptr);
    return [ptr, bytes.byteLength];
  }

  /** Text at BUF. */
  text(byteLength: number | bigint | void): string {
    const length = Number(BigInt(byteLength ?? 0) & 0xffff_ffffn);
    return Buffer.from(this.memory.buffer, BUF, length).toString("latin1");
  }

  /** Fills BUF, so that one byte too many shows. */
  blank(): void {
    new Uint8Array(this.memory.buffer).fill(0x3f, BUF, BUF + 1024);
  }
}

/** The two halves of an i64 result. */
export function halves(result: number | bigint | void): [upper: number, lower: number] {
  const value = BigInt(result ?? 0);
  return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
}
