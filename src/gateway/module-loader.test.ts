import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { PRELUDE, wat } from "../abi/proxy-wasm/testing.ts";
import { ModuleError } from "../wasm/binary/module-error.ts";
import type { PlanModule } from "./messages.ts";
import { ModuleLoader } from "./module-loader.ts";
import { rewriteAhead } from "./rewrite-ahead.ts";

const SETTINGS = { memoryPages: 16, fuel: false };
/** Without a memory no guest of it is watched, so that it loads in a process without a watch. */
const PLAIN = planned(wat('(module (func (export "f") (loop (br 0))))'));
const WITH_MEMORY = planned(wat(`(module ${PRELUDE})`));

describe("rewriteAhead()", () => {
  test("rewrites for a watch, and leaves the original as it is", () => {
    const [module] = rewriteAhead([WITH_MEMORY]);
    expect(module).toMatchObject({ ...WITH_MEMORY, rewritten: { watched: true } });
    expect(module?.rewritten?.names.setFuel).toBeUndefined();
  });

  test("gives a structured clone nothing that it cannot take", () => {
    const modules = rewriteAhead([WITH_MEMORY, PLAIN]);
    expect(structuredClone(modules)).toEqual(modules);
  });

  test("leaves to the workers what is too much, and what cannot be rewritten", () => {
    const large = planned(new Uint8Array(LIMITS.rewrittenAheadBytesMax));
    const broken = planned(new TextEncoder().encode("no module"));
    const names = rewriteAhead([broken, PLAIN, large, PLAIN]).map((each) => each.rewritten?.names);
    expect(names.map((each) => each?.capture)).toEqual([
      undefined,
      "sluice:capture",
      undefined,
      undefined,
    ]);
  });
});

describe("ModuleLoader", () => {
  test("compiles what was rewritten ahead as it is", async () => {
    const [module = PLAIN] = rewriteAhead([PLAIN]);
    const loader = new ModuleLoader();
    await loader.prepare([module]);
    const own = await loaded(PLAIN);
    const { module: compiled, ...rest } = loader.load(module);
    const { module: ownCompiled, ...ownRest } = own;
    expect(rest).toEqual(ownRest);
    expect(WebAssembly.Module.exports(compiled)).toEqual(WebAssembly.Module.exports(ownCompiled));
  });

  test("rewrites for fuel where there is no watch", async () => {
    const [module = PLAIN] = rewriteAhead([WITH_MEMORY]);
    const { watched, rewritten } = await loaded(module);
    expect(watched).toBe(false);
    expect(rewritten.names.setFuel).toBeDefined();
  });
});

describe("ModuleLoader errors", () => {
  test("asks the engine about the original: a rewrite may have repaired it", async () => {
    // The start section's function does not exist in the code, which only the engine notices.
    const bytes = wat("(module (func $s) (start $s))");
    const broken = planned(bytes.slice(0, bytes.lastIndexOf(10))); // Without its code section.
    const [module = PLAIN] = rewriteAhead([broken]);
    for (const each of [module, broken]) {
      const error = await loaded(each).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ModuleError);
    }
  });
});

function planned(bytes: Uint8Array): PlanModule {
  return { name: "p", hash: "00", settings: SETTINGS, bytes };
}

async function loaded(module: PlanModule): Promise<ReturnType<ModuleLoader["load"]>> {
  const loader = new ModuleLoader();
  await loader.prepare([module]);
  return loader.load(module);
}
