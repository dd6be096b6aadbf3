import { GatewayError, toGatewayError } from "../base/errors.ts";
import type { NodeConfig } from "../config/config.ts";
import type { Body } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { Forwarder } from "../proxy/served.ts";
import type {
  ForwardOptions,
  ResponseObserver,
  UpstreamRequest,
  UpstreamResponse,
} from "../upstream/message.ts";
import { ChunkedBody } from "./chunked-body.ts";
import type { Recorder } from "./recorder.ts";
import { type RunAnswer, type RunFailure, toBytes } from "./run-options.ts";
import type { SentMessage } from "./transcript.ts";

const NODE: NodeConfig = {
  kind: "tcp",
  host: "192.0.2.1",
  port: 80,
  address: "192.0.2.1:80",
  weight: 1,
};

/** An upstream that reads the whole request and then answers as it was told. */
export class StandInUpstream implements Forwarder {
  readonly id = "upstream";
  /** The last request that has reached it. */
  received: SentMessage | undefined;
  readonly #recorder: Recorder;
  readonly #told: RunAnswer | RunFailure | undefined;

  /** @param told undefined: it answers with what it was asked, as JSON */
  constructor(recorder: Recorder, told: RunAnswer | RunFailure | undefined) {
    this.#recorder = recorder;
    this.#told = told;
  }

  send(request: UpstreamRequest, options: ForwardOptions, observer: ResponseObserver): void {
    this.#answer(request, options).then(
      (response) => observer.responded(response),
      (error: unknown) => observer.failed(error),
    );
  }

  async #answer(request: UpstreamRequest, options: ForwardOptions): Promise<UpstreamResponse> {
    const message = this.#receive(request);
    const broken = new Promise<never>((_, reject) => {
      options.cancellation.listen({ cancelled: (reason) => reject(toGatewayError(reason)) });
    });
    broken.catch(() => {}); // It may come when nobody waits any more.
    await Promise.race([this.#read(message, request.body), broken]);
    const told = this.#told ?? echo(message);
    if ("failure" in told) {
      throw new GatewayError(told.failure, "The upstream fails, as the run was told");
    }
    const status = told.status ?? 200;
    const isBodyless = request.method === "HEAD" || status === 204 || status === 304;
    const trailers = told.trailers === undefined ? undefined : HeaderList.from(told.trailers);
    const chunks = (told.body ?? []).map(toBytes);
    return {
      status,
      headers: HeaderList.from(told.headers ?? []),
      body: isBodyless ? undefined : new ChunkedBody(chunks, trailers),
      tunnel: undefined,
      node: NODE,
      failed: [],
    };
  }

  #receive({ method, target, authority, headers }: UpstreamRequest): SentMessage {
    const message: SentMessage = {
      method,
      scheme: "http",
      authority,
      target,
      status: 0,
      headers: [...headers],
      chunks: [],
      trailers: undefined,
      complete: false,
    };
    this.received = message;
    const text = `${method} http://${authority}${target}`;
    this.#recorder.add({
      kind: "sent",
      depth: 0,
      to: "upstream",
      part: "head",
      text,
      headers: message.headers,
    });
    return message;
  }

  async #read(message: SentMessage, body: Body | undefined): Promise<void> {
    await record(this.#recorder, "upstream", message, body);
  }
}

/** Takes a message's body to its end and writes down what comes. @throws what reading it throws */
export async function record(
  recorder: Recorder,
  to: "upstream" | "client",
  message: SentMessage,
  body: Body | undefined,
): Promise<void> {
  try {
    for (;;) {
      const chunk = await body?.read();
      if (chunk === undefined) break;
      const text = Buffer.from(chunk).toString("latin1");
      message.chunks.push(text);
      recorder.add({ kind: "sent", depth: 0, to, part: "body", text });
    }
  } catch (error) {
    const text = toGatewayError(error).message;
    recorder.add({ kind: "sent", depth: 0, to, part: "failure", text });
    throw error;
  }
  message.complete = true;
  // No lines and no trailers are the same to whoever gets them.
  message.trailers = (body?.trailers?.size ?? 0) > 0 ? [...(body?.trailers ?? [])] : undefined;
  const trailers = message.trailers === undefined ? {} : { headers: message.trailers };
  recorder.add({ kind: "sent", depth: 0, to, part: "end", text: "", ...trailers });
}

function echo({ method, authority, target, headers, chunks }: SentMessage): RunAnswer {
  const body = Buffer.from(chunks.join(""), "latin1").toString("utf8");
  const told = {
    method,
    url: `http://${authority}${target}`,
    headers: Object.fromEntries(headers),
    data: body,
  };
  return {
    headers: [["Content-Type", "application/json"]],
    body: [new TextEncoder().encode(`${JSON.stringify(told)}\n`)],
  };
}
