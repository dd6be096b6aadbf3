import { type Contestant, find, type Place, type Prepared, type Setup } from "./contestant.ts";
import { caddy } from "./contestants/caddy.ts";
import { envoy } from "./contestants/envoy.ts";
import { haproxy } from "./contestants/haproxy.ts";
import { nginx, nginxLua, nginxStreaming } from "./contestants/nginx.ts";
import { sluice } from "./contestants/sluice.ts";
import type { Command } from "./process.ts";

/** Sluice first: the others are what it is held against. */
export const CONTESTANTS: readonly Contestant[] = [
  sluice,
  nginx,
  nginxStreaming,
  haproxy,
  caddy,
  nginxLua,
  envoy,
];

export function isInstalled({ needs }: Contestant): boolean {
  return needs.every((need) => find(need) !== undefined);
}

/** @returns what a contestant that is installed needs in that folder to be what the setup says */
export function prepareIn(
  contestant: Contestant,
  setup: Setup,
  place: Omit<Place, "executable">,
): Pick<Prepared, "files"> & { readonly command: Command } {
  const executable = find(contestant.needs[0] ?? "") ?? "";
  const { files, command } = contestant.prepare(setup, { ...place, executable });
  return { files, command: { ...command, cwd: place.folder } };
}
