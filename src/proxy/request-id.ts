/**
 * Ids of exchanges: unique over workers and restarts by a random prefix of the process, short, and
 * cheap: no random number per request.
 */
const prefix = crypto.randomUUID().slice(0, 8);
let last = 0;

/** For example "4f1d20ab-2s". */
export function nextRequestId(): string {
  last++;
  return `${prefix}-${last.toString(36)}`;
}
