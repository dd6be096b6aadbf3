/**
 * Assertions for bugs of our own. What a client, a guest or an operator can cause is never
 * asserted: it is answered with a GatewayError, a status or a diagnostic.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Crashes loudly when the host itself broke an invariant. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** For the branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`Cannot reach this branch with ${JSON.stringify(value)}`);
}
