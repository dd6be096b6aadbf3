import {
  Context,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  HeaderPair,
  log,
  LogLevelValues,
  send_local_response,
  stream_context,
} from "@solo-io/proxy-runtime";

/** The SDK has names for the statuses of gRPC alone. */
export const NOT_GRPC = <GrpcStatusValues>-1;

export function pair(name: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(name), String.UTF8.encode(value));
}

export class Headers extends Context {
  onRequestHeaders(count: u32, end: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    this.logAll(">", headers.get_headers());
    if (headers.get(":path") != "/hello") return FilterHeadersStatusValues.Continue;
    const body = String.UTF8.encode("Hello from AssemblyScript\n");
    const reply = [pair("x-answered-by", "assemblyscript")];
    send_local_response(200, "", body, reply, NOT_GRPC);
    return FilterHeadersStatusValues.StopIteration;
  }

  onResponseHeaders(count: u32, end: bool): FilterHeadersStatusValues {
    this.logAll("<", stream_context.headers.response.get_headers());
    return FilterHeadersStatusValues.Continue;
  }

  onLog(): void {
    log(LogLevelValues.info, "#" + this.context_id.toString() + " is over");
  }

  private logAll(direction: string, headers: HeaderPair[]): void {
    const start = "#" + this.context_id.toString() + " " + direction + " ";
    for (let at = 0; at < headers.length; at++) {
      const name = String.UTF8.decode(headers[at].key);
      const value = String.UTF8.decode(headers[at].value);
      log(LogLevelValues.info, start + name + ": " + value);
    }
  }
}
