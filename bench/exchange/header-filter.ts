import { join } from "node:path";
import { startPlugin } from "../../src/abi/proxy-wasm/plugin.ts";
import { FakePluginHost, TEST_SETTINGS } from "../../src/abi/proxy-wasm/testing.ts";
import type { Plugin } from "../../src/filter/filter.ts";
import { loadModule } from "../../src/wasm/module.ts";

const ROOT = join(import.meta.dir, "../..");

/** What the guest adds to requests. */
export const HEADER = "x-tenant: blue";

/** count; exchanges that may be in filters of one plugin at the same time. */
const SANDBOXES = 256;

/** @param path below test/guests; adds a header each way */
export async function addHeader(
  path: string,
  instances: "shared" | "per_request",
): Promise<Plugin> {
  const bytes = await Bun.file(join(ROOT, "test/guests", path)).bytes();
  const { memoryPages } = TEST_SETTINGS.limits;
  const host = new FakePluginHost();
  host.configuration = new TextEncoder().encode(HEADER);
  const module = loadModule(bytes, { memoryPages, fuel: false });
  const pool = { ...TEST_SETTINGS.pool, size: SANDBOXES };
  return startPlugin(module, host, { ...TEST_SETTINGS, instances, pool });
}
