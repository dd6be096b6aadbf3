import type { GatewayError } from "../../base/errors.ts";

/** How the guests of one plugin begin and end: what an ABI knows and nobody else. */
export interface GuestKind<G> {
  /**
   * One that is ready for exchanges.
   * @param hasEvents it is the one that is called also when there is no exchange
   * @throws PluginRefused; nothing of the guest is left running then
   */
  start(hasEvents: boolean): G;
  /**
   * One whose instance stands, and in which nothing has run yet.
   * @throws PluginRefused when there can be no instance
   */
  blank(hasEvents: boolean): G;
  /**
   * Ends it in the ABI's way.
   * @param reason what whoever still uses the guest afterwards is told
   * @param closed called once, at the end
   */
  close(guest: G, reason: GatewayError, closed: () => void): void;
}

/** Who lends guests to filters. */
export interface GuestOwner<G> {
  /** A filter is done with the guest, well or not; once for each. */
  filterGone(guest: G): void;
}

/** A plugin that cannot be started, with the reason for the operator. */
export class PluginRefused extends Error {
  override readonly name = "PluginRefused";
}
