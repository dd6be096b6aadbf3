import type { Guest } from "./guest.ts";
import { ROOT_CONTEXT_ID, Status, StreamType } from "./types.ts";

/** Going on, breaking off, and whose context it is. Everything takes effect after the callback. */
export function streamFunctions(guest: Guest) {
  const resume = (direction: "request" | "response"): Status => {
    if (guest.stream === undefined) return Status.BadArgument;
    guest.stream.resume(direction);
    return Status.Ok;
  };
  return {
    proxy_continue_stream(type: number): Status {
      if (type === StreamType.Request) return resume("request");
      if (type === StreamType.Response) return resume("response");
      return type === StreamType.Downstream ? Status.Ok : Status.BadArgument;
    },

    /** ABI 0.1.0. */
    proxy_continue_request: (): Status => resume("request"),

    /** ABI 0.1.0. */
    proxy_continue_response: (): Status => resume("response"),

    /** ABI 0.1.0; later ones have a foreign function of that name. */
    proxy_clear_route_cache(): Status {
      guest.stream?.host.exchange.clearRoute();
      return Status.Ok;
    },

    /** Either half breaks the whole exchange off; the TCP types mean nothing to an HTTP filter. */
    proxy_close_stream(type: number): Status {
      if (type >>> 0 > StreamType.Upstream) return Status.BadArgument;
      if (type === StreamType.Downstream || type === StreamType.Upstream) return Status.Ok;
      if (guest.stream === undefined) return Status.BadArgument;
      guest.stream.reset();
      return Status.Ok;
    },

    /** Until the callback ends. @returns BadArgument when there is no such context */
    proxy_set_effective_context(id: number): Status {
      const stream = guest.streams.get(id);
      if (stream === undefined && id !== ROOT_CONTEXT_ID) return Status.BadArgument;
      guest.stream = stream;
      return Status.Ok;
    },

    /** @returns NotFound unless a `proxy_on_done` has answered "not yet" */
    proxy_done(): Status {
      const finish = guest.pendingDone;
      if (finish === undefined) return Status.NotFound;
      guest.pendingDone = undefined;
      guest.defer(finish);
      return Status.Ok;
    },
  };
}
