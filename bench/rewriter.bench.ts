/**
 * Question: how many MB/s does instrument() rewrite when it is warm, and how fast does it refuse
 * modules that are made to keep their reader busy? Not measured: the engine's own validation, which
 * is subtracted. The real module is the optimizer that AssemblyScript brings along, of 9 MB.
 */
import { bench } from "mitata";
import { instrument } from "../src/wasm/instrument/instrument.ts";
import { BOMBS } from "../src/wasm/instrument/bombs.testing.ts";
import { measure } from "./measure.ts";

export const cases = ["poll", "fuel", "bombs"] as const;

const OPTIONS = { memoryPagesMax: 16_384, tableEntriesMax: 65_536 };

/** The largest module that a package instantiates while it is loaded. */
async function largestModule(packageName: string): Promise<Uint8Array<ArrayBuffer>> {
  let largest = new Uint8Array();
  const { instantiate } = WebAssembly;
  const watched = (source: ArrayBuffer, imports: never): unknown => {
    const bytes = new Uint8Array(source).slice();
    if (bytes.byteLength > largest.byteLength) largest = bytes;
    return instantiate(source, imports);
  };
  WebAssembly.instantiate = watched as never;
  await import(packageName);
  WebAssembly.instantiate = instantiate;
  return largest;
}

/** @throws Error when a rewritten module is not valid, or a bomb is not refused */
export async function check(): Promise<void> {
  const add = await Bun.file(`${import.meta.dir}/../plugins/add-header.wasm`).bytes();
  for (const poll of [true, false]) {
    const { bytes } = instrument(add, { ...OPTIONS, checks: { poll, fuel: !poll } });
    if (!WebAssembly.validate(bytes)) throw new Error("Cannot trust this benchmark: not valid");
  }
  for (const { name, make } of BOMBS) {
    if (refusal(make()) === undefined) throw new Error(`Cannot trust this benchmark: took ${name}`);
  }
}

function refusal(bytes: Uint8Array): string | undefined {
  try {
    instrument(bytes, { ...OPTIONS, checks: { poll: true, fuel: true } });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

if (import.meta.main) {
  const [, , which] = Bun.argv;
  if (which === "bombs") declareBombs();
  else await declareRewrite(which === "fuel");
  await measure();
}

function declareBombs(): void {
  for (const { name, make } of BOMBS) {
    const bytes = make();
    bench(`refuse ${name}`, () => {
      refusal(bytes);
    });
  }
}

async function declareRewrite(fuel: boolean): Promise<void> {
  const bytes = await largestModule("binaryen");
  const validate = WebAssembly.validate;
  const checks = { poll: !fuel, fuel };
  if (!validate(instrument(bytes, { ...OPTIONS, checks }).bytes)) throw new Error("not valid");
  // The engine has just found it valid, and would take most of the time to say so again.
  WebAssembly.validate = () => true;
  bench(`rewrite ${(bytes.byteLength / 1e6).toFixed(1)} MB`, () => {
    instrument(bytes, { ...OPTIONS, checks });
  });
}
