import { type Contestant, find } from "./contestant.ts";
import { caddy } from "./contestants/caddy.ts";
import { envoy } from "./contestants/envoy.ts";
import { haproxy } from "./contestants/haproxy.ts";
import { nginx, nginxLua, nginxStreaming } from "./contestants/nginx.ts";
import { sluice } from "./contestants/sluice.ts";

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
