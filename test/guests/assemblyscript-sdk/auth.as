import {
  BaseContext,
  Context,
  continue_request,
  FilterHeadersStatusValues,
  log,
  LogLevelValues,
  RootContext,
  send_local_response,
  stream_context,
  WasmResultValues,
} from "@solo-io/proxy-runtime";
import { BUFFER_CALL_RESPONSE_BODY, bytesOf } from "./buffers";
import { NOT_GRPC, pair } from "./headers";

const TIMEOUT_MS: u32 = 5000;

export class Auth extends Context {
  upstream: string;

  constructor(id: u32, root: RootContext, upstream: string) {
    super(id, root);
    this.upstream = upstream;
  }

  onRequestHeaders(count: u32, end: bool): FilterHeadersStatusValues {
    const status = this.root_context.httpCall(
      this.upstream,
      [pair(":method", "GET"), pair(":path", "/bytes/1"), pair(":authority", this.upstream)],
      new ArrayBuffer(0),
      [],
      TIMEOUT_MS,
      this,
      (origin: BaseContext, headers: u32, size: usize, trailers: u32) => {
        decide(headers, <u32>size);
      },
    );
    if (status != WasmResultValues.Ok) deny("the call was refused with status " + status.toString());
    return FilterHeadersStatusValues.StopIteration;
  }

  onResponseHeaders(count: u32, end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.replace("x-gate", "assemblyscript");
    return FilterHeadersStatusValues.Continue;
  }
}

function decide(headers: u32, size: u32): void {
  const bytes = bytesOf(BUFFER_CALL_RESPONSE_BODY, size);
  if (headers == 0) {
    deny("the call has failed");
  } else if (bytes.length == 0 || bytes[0] % 2 == 1) {
    deny("the byte is odd");
  } else {
    log(LogLevelValues.info, "May pass");
    continue_request();
  }
}

function deny(reason: string): void {
  log(LogLevelValues.info, "May not pass: " + reason);
  const body = String.UTF8.encode("May not pass\n");
  const headers = [pair("x-gate", "assemblyscript")];
  send_local_response(403, "", body, headers, NOT_GRPC);
}
