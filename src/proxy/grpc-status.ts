import type { ResponseHead } from "../filter/filter.ts";
import type { HeaderList } from "../http/headers.ts";

/** gRPC's mapping of HTTP statuses, for answers that tell no status of their own. */
const OF_HTTP: ReadonlyMap<number, bigint> = new Map([
  [400, 13n], // INTERNAL
  [401, 16n], // UNAUTHENTICATED
  [403, 7n], // PERMISSION_DENIED
  [404, 12n], // UNIMPLEMENTED
  [429, 14n], // UNAVAILABLE
  [502, 14n],
  [503, 14n],
  [504, 14n],
]);

const UNKNOWN = 2n;
/** What Envoy makes of a status that is no number. */
const INVALID = -1n;

/** The status of a response as a client of gRPC reads it: trailers, headers, HTTP's status. */
export function grpcStatusOf(response: ResponseHead, trailers: HeaderList | undefined): bigint {
  const told = trailers?.get("grpc-status") ?? response.headers.get("grpc-status");
  if (told === undefined) return OF_HTTP.get(response.status) ?? UNKNOWN;
  return /^\d{1,9}$/.test(told) ? BigInt(told) : INVALID;
}
