/**
 * Question: what does a pristine sandbox for each exchange cost, and what does metering?
 *
 *   restore    an exchange with headers only, and the guest put back after it
 *   turns      the same when many sandboxes take turns, whose memory no cache holds
 *   thousand   a thousand sandboxes of one image: until they are ready, and what they hold idle
 *   start      a guest copied from the image against one that is started
 *   metering   the same exchange unmetered, watched and counted by fuel; takes some minutes
 *   trap       an exchange that ends by a trap, and the guest put back after it
 *
 * Guests are real ones (test/guests/), run by the code that the gateway runs, against stand-ins for
 * the chain. Each guest is measured in a process of its own, started as a worker is.
 * Not measured: the gateway around it, bodies.
 */
import { captureGuest, copyGuest } from "../src/abi/guest/guest-image.ts";
import { guestKind, startGuest } from "../src/abi/proxy-wasm/start.ts";
import { loadModule } from "../src/wasm/module.ts";
import { meter } from "../src/wasm/sandbox/meter.ts";
import { measureStarts, measureThousand, type Starts, type Thousand } from "./sandbox/copies.ts";
import { outcome } from "./sandbox/exchange.ts";
import {
  geometricMean,
  type Percentiles,
  percent,
  quantile,
  table,
  us,
} from "./sandbox/figures.ts";
import { bytesOf, GUEST_NAMES, type GuestName, resourcesOf, TRAPPING } from "./sandbox/guests.ts";
import { startVariant, timeVariant, type Variant, VARIANTS } from "./sandbox/metering.ts";
import { measureRestores, type Restores } from "./sandbox/restores.ts";
import { measureTurns, TURNS } from "./sandbox/turns.ts";

export const cases = ["restore", "turns", "thousand", "start", "metering", "trap"] as const;

/** Without it, the engine has 8 memories that can be mapped. It is read when a process starts. */
const AS_WORKER = { BUN_JSC_maxNumWasmFastMemories: "10000" };

/** What is measured in a process of its own. */
const IN_CHILD = {
  restore: (name: GuestName) => measureRestores(name),
  trap: (name: GuestName) => measureRestores(name, true),
  turns: measureTurns,
  start: measureStarts,
  thousand: measureThousand,
  metering: timeVariant,
};

const METERED: readonly GuestName[] = GUEST_NAMES.filter((name) => !name.startsWith("Go"));
/** Processes for each variant of each guest. */
const METERING_ROUNDS = 15;

/** @throws Error when a guest answers otherwise than it should, restored, copied or unmetered */
export async function check(): Promise<void> {
  for (const name of GUEST_NAMES) {
    const expected = outcome(await startVariant(name, "unmetered"));
    if (!expected.includes("x-"))
      throw new Error(`Cannot trust this benchmark: ${name} does nothing`);
    const module = loadModule(await bytesOf(name), { memoryPages: 1024, fuel: false });
    const guest = startGuest(module, resourcesOf(name));
    const image = captureGuest(guest);
    if (typeof image === "string")
      throw new Error(`Cannot trust this benchmark: ${name}: ${image}`);
    const copy = copyGuest(guestKind(module, resourcesOf(name)), image, false);
    for (const each of [guest, copy, guest, copy]) {
      const found = outcome(each);
      const isPristine = each.restore(image.state);
      if (found !== expected || !isPristine) {
        throw new Error(`Cannot trust this benchmark: ${name} answers ${found}, not ${expected}`);
      }
    }
  }
}

if (import.meta.main) {
  const [which = "restore", ...rest] = Bun.argv.slice(2).filter((word) => word !== "--json");
  if (which === "child") await runChild(rest as ChildArguments);
  else process.stdout.write(`${await measured(which)}\n`);
}

type ChildArguments = [what: keyof typeof IN_CHILD, name: GuestName, variant: Variant];

/** What runs in a process of its own; its result is a line of JSON. */
async function runChild([what, name, variant]: ChildArguments): Promise<void> {
  if (variant !== "fuel") await meter.start();
  process.stdout.write(JSON.stringify(await IN_CHILD[what](name, variant)));
  process.exit(0);
}

async function inChild<T>(...words: string[]): Promise<T> {
  const child = Bun.spawn([process.execPath, import.meta.path, "child", ...words], {
    env: { ...process.env, ...AS_WORKER },
    stderr: "inherit",
  });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`Cannot measure ${words.join(" ")}`);
  return JSON.parse(output) as T;
}

async function measured(which: string): Promise<string> {
  switch (which) {
    case "restore":
      return restores(GUEST_NAMES, "restore");
    case "turns":
      return turns();
    case "trap":
      return restores([TRAPPING], "trap");
    case "start":
      return starts();
    case "thousand":
      return thousand();
    default:
      return metering();
  }
}

async function restores(names: readonly GuestName[], what: string): Promise<string> {
  const head = "µs, p50 / p99|memory|exchange, living|exchange, restored|restore|both".split("|");
  const rows = [head];
  for (const name of names) {
    const found = await inChild<Restores>(what, name);
    const { living, restored, restore, cycle } = found;
    const times = [living, restored, restore, cycle].map(
      ({ p50, p99 }) => `${us(p50)} / ${us(p99)}`,
    );
    rows.push([name, `${found.memoryBytes / 1024} KiB, ${found.kind}`, ...times]);
  }
  return table(rows);
}

async function turns(): Promise<string> {
  const rows = [
    ["µs, p50 / p99, exchange and restore", ...TURNS.map((count) => `${count} in turn`)],
  ];
  for (const name of ["C add-header", "Rust add-header", "Rust read-headers"]) {
    const found = await inChild<Percentiles[]>("turns", name);
    rows.push([name, ...found.map(({ p50, p99 }) => `${us(p50)} / ${us(p99)}`)]);
  }
  return table(rows);
}

async function starts(): Promise<string> {
  const rows = [["µs, p50 / p99", "started", "copied", "×"]];
  for (const name of GUEST_NAMES) {
    const { fresh, copy } = await inChild<Starts>("start", name);
    const times = [fresh, copy].map(({ p50, p99 }) => `${us(p50)} / ${us(p99)}`);
    rows.push([name, ...times, (fresh.p50 / copy.p50).toFixed(1)]);
  }
  return table(rows);
}

async function thousand(): Promise<string> {
  const head = "1000 sandboxes|ready in ms|KiB each: private|of that the guest's pages|JS heap";
  const rows = [head.split("|")];
  for (const name of ["Rust add-header", "Rust read-headers", "C add-header"]) {
    const { readyMs, made, used } = await inChild<Thousand>("thousand", name);
    const times = `${Math.min(...readyMs).toFixed(0)} to ${Math.max(...readyMs).toFixed(0)}`;
    for (const [when, held] of [
      ["made", made],
      ["after an exchange", used],
    ] as const) {
      const kib = [held.privateKib, held.guestKib, held.heapKib].map((value) => value.toFixed(1));
      rows.push([`${name}, ${when}`, when === "made" ? times : "", ...kib]);
    }
  }
  return table(rows);
}

/** Variants take turns, so that a slow minute of the machine hits all of them. */
async function metering(): Promise<string> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < METERING_ROUNDS; round++) {
    for (const name of METERED) {
      for (const variant of VARIANTS) {
        const key = `${name} ${variant}`;
        const found = await inChild<number>("metering", name, variant);
        times.set(key, [...(times.get(key) ?? []), found]);
      }
    }
  }
  // Of the quiet quarter: a busy machine makes processes slower, nothing makes them faster.
  const typical = (name: string, variant: string) =>
    quantile(times.get(`${name} ${variant}`) ?? [], 0.25);
  const rows = [["exchange", "unmetered", ...VARIANTS.slice(1)]];
  for (const name of METERED) {
    const base = typical(name, "unmetered");
    const others = VARIANTS.slice(1).map((variant) => percent(typical(name, variant) / base));
    rows.push([name, `${us(base)} µs`, ...others]);
  }
  const means = VARIANTS.slice(1).map((variant) =>
    geometricMean(METERED.map((name) => typical(name, variant) / typical(name, "unmetered"))),
  );
  rows.push(["geometric mean", "", ...means.map(percent)]);
  return table(rows);
}
