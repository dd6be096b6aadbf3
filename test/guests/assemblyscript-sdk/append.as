import { Context, FilterDataStatusValues, RootContext } from "@solo-io/proxy-runtime";
import { BUFFER_REQUEST_BODY, BUFFER_RESPONSE_BODY, setText, textOf } from "./buffers";

/** Leaves the length alone on purpose: it is the host that corrects it. */
export class Append extends Context {
  toRequest: bool;
  text: string;

  constructor(id: u32, root: RootContext, rest: string) {
    super(id, root);
    this.toRequest = rest.startsWith("request ");
    this.text = rest.substring(rest.indexOf(" ") + 1);
  }

  onRequestBody(size: usize, end: bool): FilterDataStatusValues {
    if (this.toRequest && end) setText(BUFFER_REQUEST_BODY, <u32>size, 0, this.text);
    return FilterDataStatusValues.Continue;
  }

  onResponseBody(size: usize, end: bool): FilterDataStatusValues {
    if (this.toRequest) return FilterDataStatusValues.Continue;
    if (!end) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = textOf(BUFFER_RESPONSE_BODY, <u32>size);
    setText(BUFFER_RESPONSE_BODY, 0, <u32>size, body + this.text);
    return FilterDataStatusValues.Continue;
  }
}
