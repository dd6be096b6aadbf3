import type { Case } from "./case.ts";
import { type Call, MAX, type Probe } from "./probe.ts";
import type { Prototype } from "./prototype.ts";

/** bytes; of a probe's memory. */
export const PAGE = 65_536;
/** Where guests have host functions write, far from everything else. */
export const BUF = 32_768;

/** Windows of which a part or all lies outside of a memory of one page. */
const OUTSIDE: readonly (readonly [ptr: number, byteLength: number])[] = [
  [PAGE, 1],
  [PAGE - 1, 2],
  [0, MAX],
  [1024, MAX - 1023],
  [MAX, 1],
  [0x8000_0000, 0x8000_0000],
];

/** A guest of the http-wasm ABI. @param next 0n: the guest answers the request itself */
export function handling(
  request: readonly Call[],
  response: readonly Call[] = [],
  next = 1n,
): Probe {
  return {
    abi: "none",
    allocator: { answers: "none" },
    on: {
      handle_request: { calls: request, answer: next },
      handle_response: { calls: response },
    },
  };
}

/** The same, which makes calls before there is a request, too. */
export function initializing(calls: readonly Call[], request: readonly Call[] = []): Probe {
  const probe = handling(request);
  return { ...probe, startSection: { calls }, on: { ...probe.on, _initialize: { calls } } };
}

interface Trap {
  readonly name: string;
  readonly call: Call;
  /** Of the transcript, without its end. */
  readonly line: string;
  readonly why: string;
  readonly run?: Case["run"];
  /** Of memory. */
  readonly pages?: number;
  /** Where the call is made. */
  readonly within?: "handle_request" | "handle_response";
}

/** The call ends the guest. */
export function trapping(trap: Trap): Case {
  const { name, call, line, why, run = {}, pages = 1, within = "handle_request" } = trap;
  const calls = [call];
  return {
    name,
    guest: {
      ...(within === "handle_request" ? handling(calls) : handling([], calls)),
      pages,
    },
    run,
    lines: [`${line} failed: ${why}`, `< ${within} failed: ${why}`],
  };
}

/** The text of that field lies in each of several windows outside of memory. */
export function outsideCases(ask: Prototype, field: string, run: Case["run"] = {}): Case[] {
  return OUTSIDE.map(([ptr, byteLength]) =>
    trapping({
      name: `${ask.name}() traps on a ${field} of ${byteLength} bytes at ${ptr}`,
      call: ask.call({ [field]: [ptr, byteLength] }),
      line: ask.line("", { [field]: "beyond-memory" }),
      why: `Cannot use ${byteLength} bytes at ${ptr}: they lie outside of the memory`,
      run,
    }),
  );
}

/**
 * What is given would fit into the buffer if that were there.
 * @param buffer name of the field that is an address and a limit
 * @param byteLength of what is given
 */
export function bufferCases(ask: Prototype, buffer: string, byteLength: number): Case[] {
  return [PAGE, PAGE - byteLength + 1, MAX, 0x8000_0000].map((ptr) =>
    trapping({
      name: `${ask.name}() traps when it has to write to ${ptr}`,
      call: ask.call({ [buffer]: [ptr, MAX] }),
      line: ask.line(""),
      why: `Cannot use ${byteLength} bytes at ${ptr}: they lie outside of the memory`,
    }),
  );
}

/** There is no exchange while a guest is started. */
export function refusedAtStart(ask: Prototype): Case {
  const why = `Cannot call ${ask.name} outside of a request`;
  const { on, ...probe } = handling([]);
  return {
    name: `${ask.name}() traps before there is a request, and the plugin is refused`,
    guest: { ...probe, on: { ...on, _initialize: { calls: [ask.call()] } } },
    lines: [
      `${ask.line("")} failed: ${why}`,
      `< _initialize failed: ${why}`,
      `refused: _initialize of plugin "plugin" failed: ${why}`,
    ],
  };
}

/** The head that a run's upstream gets when nobody changes its lines. */
export function toUpstream(method: string, target: string): string {
  return (
    `=> upstream head ${method} http://example.test${target} {X-Forwarded-For: "192.0.2.7", ` +
    'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: "example.test", ' +
    'X-Forwarded-Port: "80"}'
  );
}
