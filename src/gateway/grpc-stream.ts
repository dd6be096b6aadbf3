import { LIMITS } from "../base/limits.ts";
import type { TurnTaking } from "../base/turns.ts";
import type { GrpcEvents, GrpcRequest, GrpcStream } from "../filter/filter.ts";
import type { Upstream } from "../upstream/upstream.ts";

/**
 * Begins one gRPC call or stream of a plugin, through an upstream with its balancing. A call always
 * has a deadline, for a filter that waits for it holds an exchange; a stream lasts until one of the
 * two ends it.
 * @param owner the plugin's name
 * @param turns in which its events are told
 * @param over called once, when it has ended or is cancelled
 */
export function openGrpcStream(
  upstream: Upstream,
  owner: string,
  request: GrpcRequest,
  events: GrpcEvents,
  over: () => void,
  turns?: TurnTaking,
): GrpcStream {
  const { path, metadata, message, timeoutMs } = request;
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    over();
  };
  const boundMs = Math.min(timeoutMs === 0 ? LIMITS.callOutMsMax : timeoutMs, LIMITS.callOutMsMax);
  const call = upstream.openGrpc(
    { owner, path, metadata, timeoutMs: message === undefined ? timeoutMs : boundMs },
    {
      initialMetadata: (list) => events.initialMetadata(list),
      message: (bytes) => events.message(bytes),
      trailingMetadata: (list) => events.trailingMetadata(list),
      closed: (outcome) => {
        end();
        events.closed(outcome);
      },
    },
    turns,
  );
  if (message !== undefined) call.send(message, true);
  return {
    get unsentBytes() {
      return call.unsentBytes;
    },
    send: (bytes, isLast) => call.send(bytes, isLast),
    finish: () => call.finish(),
    cancel: () => {
      call.cancel();
      end();
    },
  };
}
