/**
 * Compares what scripts do before and after rewriting, and prints a Comparison as JSON. It is a
 * program because poll checks need a Bun that was started with fast memories:
 *
 *   BUN_JSC_maxNumWasmFastMemories=10000 bun test/spec/compare-corpus.ts            our own scripts
 *   BUN_JSC_maxNumWasmFastMemories=10000 bun test/spec/compare-corpus.ts FOLDER...  .json scripts
 *
 * The specification's own tests, turned into JSON by `wasm-tools json-from-wast`, can be FOLDER.
 */
import { join } from "node:path";
import { Glob } from "bun";
import { compare } from "./compare.ts";
import { readJsonScript } from "./json-script.ts";
import { numericScript } from "./numeric.ts";
import type { Script } from "./script.ts";
import { toBytes } from "./to-bytes.ts";
import { vectorScript } from "./vectors.ts";
import { readWast } from "./wast.ts";

const folders = process.argv.slice(2);
const scripts = folders.length === 0 ? await ownScripts() : await jsonScripts(folders);
process.stdout.write(`${JSON.stringify(compare(scripts), null, 2)}\n`);

async function ownScripts(): Promise<Script[]> {
  const folder = join(import.meta.dir, "corpus");
  const written: Script[] = [];
  for (const file of [...new Glob("*.wast").scanSync(folder)].toSorted()) {
    written.push(readWast(file, await Bun.file(join(folder, file)).text(), toBytes));
  }
  return [...written, numericScript(), vectorScript()];
}

async function jsonScripts(paths: readonly string[]): Promise<Script[]> {
  const found: Script[] = [];
  for (const folder of paths) {
    for (const file of [...new Glob("*.json").scanSync(folder)].toSorted()) {
      found.push(await readJsonScript(join(folder, file)));
    }
  }
  return found;
}
