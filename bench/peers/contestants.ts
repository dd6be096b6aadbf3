import { makeCertificate, type TestCertificate } from "../../test/support/certificates.ts";
import { type Contestant, find, type Setup } from "./contestant.ts";
import { caddy } from "./contestants/caddy.ts";
import { envoy } from "./contestants/envoy.ts";
import { haproxy } from "./contestants/haproxy.ts";
import { nginx, nginxLua, nginxStreaming } from "./contestants/nginx.ts";
import { sluice } from "./contestants/sluice.ts";
import type { Place, Prepared } from "./place.ts";

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

/**
 * @param upstream its port
 * @returns what a contestant that is installed needs in that place to be what the setup says
 */
export function prepareIn(
  contestant: Contestant,
  setup: Setup,
  { folder, port }: Place,
  upstream: number,
): Prepared {
  const executable = find(contestant.needs[0] ?? "") ?? "";
  const certificate = setup.tls === true ? theCertificate() : undefined;
  return contestant.prepare(setup, { folder, port, upstream, executable, certificate });
}

let made: TestCertificate | undefined;

/** One for all, ECDSA with P-256. */
function theCertificate(): TestCertificate {
  made ??= makeCertificate(["bench.test"]);
  return made;
}

/** The same by name. @returns undefined when it is not installed */
export function prepareNamed(
  name: string,
  setup: Setup,
  place: Place,
  upstream: number,
): Prepared | undefined {
  const contestant = CONTESTANTS.find((each) => each.name === name);
  if (contestant === undefined) throw new Error(`Cannot find the contestant "${name}"`);
  return isInstalled(contestant) ? prepareIn(contestant, setup, place, upstream) : undefined;
}
