import type { Compared } from "./compare.ts";
import { added, addedRatio, gigabytes, overBase, ratio, SLUICE } from "./figures.ts";
import type { Footprint } from "./footprint.ts";
import { type Spread, spreadOf } from "./spread.ts";

export interface Goal {
  readonly what: string;
  readonly unit: "×" | "µs" | "ms" | "MiB";
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
}

/** What must hold of cases. */
export interface Bar extends Goal {
  /** Their names: it must hold in each. */
  readonly cases: readonly string[];
  /** @returns undefined where a contestant is missing */
  readonly seen: (compared: Compared) => Spread | undefined;
}

const against =
  (peer: string): Bar["seen"] =>
  (compared) =>
    ratio(compared, peer);

const adds: Bar["seen"] = (compared) => added(compared, SLUICE);

const PLAIN = [32, 64, 256, 1024].map((count) => `no filter, ${count} connections`);
const HEADER = ["1 Rust header filter", "1 C header filter", "1 AssemblyScript header filter"];

export const BARS: readonly Bar[] = [
  {
    what: "CPU, against nginx",
    cases: ["no filter, 64 connections"],
    unit: "×",
    bound: { atMost: 1.3 },
    seen: against("nginx"),
  },
  {
    what: "CPU, against nginx",
    cases: ["no filter, 256 connections"],
    unit: "×",
    bound: { atMost: 1.5 },
    seen: against("nginx"),
  },
  {
    what: "CPU, against Envoy",
    cases: PLAIN,
    unit: "×",
    bound: { atMost: 0.6 },
    seen: against("Envoy"),
  },
  {
    what: "added CPU, against Envoy's",
    cases: HEADER,
    unit: "×",
    bound: { atMost: 0.5 },
    seen: (compared) => addedRatio(compared, "Envoy"),
  },
  {
    what: "added CPU",
    cases: ["1 Rust header filter, per request", "1 C header filter, per request"],
    unit: "µs",
    bound: { atMost: 12 },
    seen: adds,
  },
  {
    what: "added CPU",
    cases: ["10 Rust header filters"],
    unit: "µs",
    bound: { atMost: 25 },
    seen: adds,
  },
  {
    what: "CPU, against nginx",
    cases: ["response of 20 KiB", "response of 100 KiB"],
    unit: "×",
    bound: { atMost: 1 },
    seen: against("nginx"),
  },
  {
    what: "GB/s per core, against nginx",
    cases: ["response of 10 MiB"],
    unit: "×",
    bound: { atLeast: 1 },
    seen: (compared) => ratio(compared, "nginx", gigabytes),
  },
  {
    what: "CPU, against one worker",
    cases: ["2 workers"],
    unit: "×",
    bound: { atMost: 1.1 },
    seen: (compared) => overBase(compared, SLUICE),
  },
];

/** What must hold of Sluice before anybody asks anything. */
export const FOOTPRINT_BARS: readonly (Goal & { seen(footprint: Footprint): Spread })[] = [
  {
    what: "start to listening",
    unit: "ms",
    bound: { atMost: 60 },
    seen: ({ startMs }) => spreadOf(startMs),
  },
  {
    what: "memory of all processes, idle (PSS)",
    unit: "MiB",
    bound: { atMost: 120 },
    seen: ({ idlePssBytes }) => spreadOf(idlePssBytes.map((bytes) => bytes / 1_048_576)),
  },
];

/** The median decides. */
export function holds({ bound }: Pick<Goal, "bound">, { median }: Spread): boolean {
  return "atMost" in bound ? median <= bound.atMost : median >= bound.atLeast;
}
