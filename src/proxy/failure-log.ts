import { GatewayError, toGatewayError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { LineRate } from "../base/line-rate.ts";
import { log, type LogFields, type LogSeverity } from "../base/log.ts";

/**
 * One line for a failed exchange, with what the client was not told. Clients' own mistakes are
 * debug lines: anybody on the network can make them.
 */
export function logFailure(thrown: unknown, fields: LogFields): void {
  const error = toGatewayError(thrown);
  const severity = severityOf(error);
  if (!log.enabled(severity)) return;
  if (!rate.admit(performance.now())) return;
  const dropped = rate.takeDropped();
  if (dropped > 0) log.warn("lines about failed exchanges were dropped", { dropped });
  log.write(severity, error.message, { code: error.code, ...fields, stack: stackOf(error) });
}

const rate = new LineRate(LIMITS.failureLinesPerSecond);

function severityOf(error: GatewayError): LogSeverity {
  if (error.source === "client") return "debug";
  return error.code === "GATEWAY_INTERNAL" ? "error" : "warn";
}

/** Only a bug needs its stack. */
function stackOf(error: GatewayError): string | undefined {
  if (error.code !== "GATEWAY_INTERNAL") return undefined;
  return error.cause instanceof Error ? error.cause.stack : undefined;
}
