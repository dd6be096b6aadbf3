import { renderEvent } from "../../src/plugin-run/render.ts";
import { runExchange } from "../../src/plugin-run/run-exchange.ts";
import type { RunOptions } from "../../src/plugin-run/run-options.ts";
import { callShape } from "../../src/plugin-run/shapes.ts";
import type { CallEvent, RunEvent, Transcript } from "../../src/plugin-run/transcript.ts";
import {
  type Arg,
  type Call,
  end,
  MAX,
  moduleOf,
  onRequest,
  out,
  type Probe,
  text,
} from "./probe.ts";

/** One guest, one exchange, and what the transcript of it must say. */
export interface Case {
  readonly name: string;
  readonly guest: Probe;
  readonly run?: RunOptions;
  /**
   * What is compared beside the calls of the function: names of callbacks and functions,
   * "callbacks", "log", "notes", "upstream" and "client" (what leaves towards them), or one part
   * of it, "client head".
   */
  readonly shows?: readonly string[];
  /**
   * Lines of the transcript as renderEvent() writes them, without their indentation. A callback
   * that has failed and a plugin that is refused are always among them.
   */
  readonly lines: readonly string[];
}

/** The cases of one host function, or of one property of callbacks. */
export interface Conformance {
  readonly of: string;
  readonly cases: readonly Case[];
}

export function casesOf(of: string, cases: readonly Case[]): Conformance {
  return { of, cases };
}

/**
 * What all functions but a few answer while no context is there to call from: while a module is
 * initialized, and while its allocator hands out memory.
 */
export function refusedOutsideOfContexts(call: Call, line: string): Case[] {
  const [name] = call;
  // Another function that needs the allocator: the one in question is called by it.
  const allocating: Call =
    name === "proxy_get_property"
      ? ["proxy_get_header_map_pairs", 0, out(), out()]
      : ["proxy_get_property", text("plugin_name"), out(), out()];
  const refusal = `${line} = InternalFailure`;
  return [
    {
      name: `${name}() answers InternalFailure before there is a context`,
      guest: {
        startSection: { calls: [call] },
        on: { _initialize: { calls: [call] }, main: { calls: [call] } },
      },
      lines: [refusal, refusal, refusal],
    },
    {
      name: `${name}() answers InternalFailure to an allocator`,
      guest: {
        allocator: { calls: [call] },
        on: { proxy_on_request_headers: { calls: [allocating] } },
      },
      lines: [refusal],
    },
  ];
}

/**
 * What a function answers that hands bytes over when it cannot.
 * @param call to be made with these out-pointers, of an address and of a length
 * @param run one in which it would hand bytes over
 */
export function handsNothingOver(
  call: (ptr: Arg, length: Arg) => Call,
  line: string,
  run: RunOptions = {},
): Case[] {
  const [name] = call(0, 0);
  const refusal = `${line} = InvalidMemoryAccess`;
  const bad = [end(3), end(), MAX, -4, 0x7fff_ffff];
  const answers = ["0", "beyond"] as const;
  return [
    {
      name: `${name}() refuses out-pointers that are not within memory`,
      guest: onRequest(...bad.flatMap((at) => [call(at, out()), call(out(), at), call(at, at)])),
      run,
      lines: Array<string>(3 * bad.length).fill(refusal),
    },
    ...answers.map((answer) => ({
      name: `${name}() answers InvalidMemoryAccess when the allocator answers ${answer}`,
      guest: { ...onRequest(call(out(), out())), allocator: { answers: answer } },
      run,
      lines: [refusal],
    })),
  ];
}

const runs = new WeakMap<Case, Promise<Transcript>>();

/** ms; a guest that makes a thousand calls takes longer on a busy machine than filters may. */
const PATIENT = { deadlineMs: 2000, totalMs: 0, startMs: 4000 };

/** Runs it once, however often it is asked for: the statuses are looked at in the same run. */
export async function transcriptOf(each: Case): Promise<Transcript> {
  const known = runs.get(each);
  if (known !== undefined) return known;
  const limits = { ...PATIENT, ...each.run?.limits };
  const run = runExchange(moduleOf(each.guest), { ...each.run, limits });
  runs.set(each, run);
  return run;
}

/** What a case compares. */
export async function linesOf({ of }: Conformance, each: Case): Promise<string[]> {
  const { events, refused } = await transcriptOf(each);
  const shown = new Set([of, ...(each.shows ?? [])]);
  const lines = events
    .filter((event) => isShown(event, shown))
    .map((event) => renderEvent(event).trimStart().replace(EVALUATING, ""));
  return refused === undefined ? lines : [...lines, `refused: ${refused}`];
}

/** What the engine adds of the caller's code when a guest traps. */
const EVALUATING = / \(evaluating '.*'\)$/;

function isShown(event: RunEvent, shown: ReadonlySet<string>): boolean {
  if (event.kind === "call") return shown.has(event.name);
  if (event.kind === "callback") return shown.has(event.name) || shown.has("callbacks");
  if (event.kind === "return") {
    return event.failed !== undefined || shown.has(event.name) || shown.has("callbacks");
  }
  if (event.kind === "log") return shown.has("log");
  if (event.kind === "note") return shown.has("notes");
  return shown.has(event.to) || shown.has(`${event.to} ${event.part}`);
}

/** What calls of the function have come to: a status, "returns" where there is none, or "trap". */
export async function resultsOf({ of, cases }: Conformance): Promise<Set<string>> {
  const results = new Set<string>();
  for (const each of cases) {
    const { events } = await transcriptOf(each);
    for (const event of events) {
      if (event.kind !== "call" || event.name !== of) continue;
      if (event.failed !== undefined) results.add("trap");
      else results.add(hasStatus(event) ? String(event.result) : "returns");
    }
  }
  return results;
}

function hasStatus({ module, name }: CallEvent): boolean {
  const { result } = callShape(module, name);
  return result === "status" || result === "errno";
}
