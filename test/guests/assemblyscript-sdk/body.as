import {
  Context,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  RootContext,
  stream_context,
} from "@solo-io/proxy-runtime";
import { BUFFER_RESPONSE_BODY, setText, textOf } from "./buffers";

export class Body extends Context {
  word: string;

  constructor(id: u32, root: RootContext, word: string) {
    super(id, root);
    this.word = word;
  }

  onResponseHeaders(count: u32, end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.remove("content-length");
    return FilterHeadersStatusValues.Continue;
  }

  onResponseBody(size: usize, end: bool): FilterDataStatusValues {
    if (!end) return FilterDataStatusValues.StopIterationAndBuffer;
    if (textOf(BUFFER_RESPONSE_BODY, <u32>size).includes(this.word)) {
      setText(BUFFER_RESPONSE_BODY, 0, <u32>size, "withheld: " + size.toString() + " bytes\n");
    }
    return FilterDataStatusValues.Continue;
  }
}

export class Config extends Context {
  value: string;

  constructor(id: u32, root: RootContext, value: string) {
    super(id, root);
    this.value = value;
  }

  onResponseHeaders(count: u32, end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-configured", this.value);
    return FilterHeadersStatusValues.Continue;
  }
}
