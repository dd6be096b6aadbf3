import { BufferType, MapType, MetricType, Status, StreamType } from "../abi/proxy-wasm/types.ts";
import { ERRNO } from "../abi/wasi/errno.ts";
import { LOG_LEVELS } from "../filter/filter.ts";

/** The numbers that an ABI has names for. */
const VOCABULARIES = {
  status: named(Status),
  map: named(MapType),
  buffer: named(BufferType),
  stream: named(StreamType),
  metric: named(MetricType),
  level: new Map<number, string>(LOG_LEVELS.map((name, number) => [number, name])),
  action: new Map([
    [0, "Continue"],
    [1, "Pause"],
  ]),
  errno: named(ERRNO),
  /** http-wasm's log levels. */
  severity: new Map([
    [-1, "debug"],
    [0, "info"],
    [1, "warn"],
    [2, "error"],
    [3, "none"],
  ]),
  /** http-wasm's kinds of headers and bodies. */
  kind: new Map([
    [0, "Request"],
    [1, "Response"],
    [2, "RequestTrailers"],
    [3, "ResponseTrailers"],
  ]),
} satisfies Record<string, ReadonlyMap<number, string>>;

export type Vocabulary = keyof typeof VOCABULARIES;

/** The name of a number, or the number when it has none. */
export function wordOf(vocabulary: Vocabulary, number: number): string | number {
  return VOCABULARIES[vocabulary]?.get(number) ?? number;
}

/** @throws RangeError when there is no such word */
export function numberOf(vocabulary: Vocabulary, word: string): number {
  for (const [number, name] of VOCABULARIES[vocabulary] ?? []) if (name === word) return number;
  throw new RangeError(`Cannot find the number of ${vocabulary} "${word}"`);
}

function named(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, number]) => [number, name]));
}
