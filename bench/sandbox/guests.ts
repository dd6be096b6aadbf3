import { join } from "node:path";
import { FakePluginHost, TEST_SETTINGS, wat } from "../../src/abi/proxy-wasm/testing.ts";
import { GuestLog } from "../../src/abi/guest/guest-log.ts";
import type { PluginResources } from "../../src/abi/proxy-wasm/resources.ts";
import { Health } from "../../src/abi/guest/health.ts";
import { Metrics } from "../../src/abi/proxy-wasm/metrics.ts";
import { VmScopes } from "../../src/abi/proxy-wasm/vm-scope.ts";

const ROOT = join(import.meta.dir, "../..");

const TEXT = "x-tenant: blue";
const JSON_TEXT = '{"name":"x-tenant","value":"blue"}';

/** The header filters that are measured are real ones, each language with its own allocator. */
const FILES = {
  "C add-header": ["test/guests/c/add-header.wasm", TEXT],
  "C read-headers": ["test/guests/c/read-headers.wasm", ""],
  "Rust add-header": ["test/guests/rust/add-header.wasm", TEXT],
  "Rust read-headers": ["test/guests/rust/read-headers.wasm", ""],
  "AssemblyScript add-header": ["plugins/add-header.wasm", JSON_TEXT],
  "Go add-header": ["test/guests/go/add-header.wasm", TEXT],
  "Go read-headers": ["test/guests/go/read-headers.wasm", ""],
} as const;

export type GuestName = keyof typeof FILES | typeof TRAPPING;

export const GUEST_NAMES = Object.keys(FILES) as (keyof typeof FILES)[];

/** Writes two of its 17 pages, as much memory as a guest in Rust has, and traps. */
export const TRAPPING = "a guest that traps";

const TRAPPING_TEXT = `
  (memory (export "memory") 17)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 0)
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (i32.store (i32.const 1040000) (local.get 0))
    (i32.store (i32.const 1100000) (local.get 0))
    unreachable)`;

export async function bytesOf(name: GuestName): Promise<Uint8Array<ArrayBuffer>> {
  if (name === TRAPPING) return new Uint8Array(wat(TRAPPING_TEXT));
  return Bun.file(join(ROOT, FILES[name][0])).bytes();
}

/** A gateway that has nothing to say and writes nothing down. */
class QuietHost extends FakePluginHost {
  override log(): void {}
}

/** @param fuel units of one callback; 0: not counted */
export function resourcesOf(name: GuestName, fuel = 0): PluginResources {
  const host = new QuietHost();
  const configuration = name === TRAPPING ? "" : FILES[name][1];
  host.configuration = new TextEncoder().encode(configuration);
  const log = new GuestLog(host, () => 0);
  const settings = {
    ...TEST_SETTINGS,
    limits: { ...TEST_SETTINGS.limits, totalMs: 600_000, fuel },
  };
  return {
    host,
    log,
    metrics: new Metrics(),
    scope: new VmScopes().acquire("vm"),
    settings,
    health: new Health(settings.breaker, log, () => 0),
  };
}
