/**
 * What endpoints answer with. JSON looks like httpbin's: sorted keys, two spaces, a final newline.
 */

/** A request that is answered with an error: thrown by endpoints, rendered by the router. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message shown to the client: action, value, limit */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }

  toResponse(): Response {
    return json({ error: this.message }, { status: this.status, headers: this.headers });
  }
}

export interface ReplyOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param shape a flat object of an endpoint; its own keys are sorted, nested values are kept */
export function json(
  shape: Readonly<Record<string, unknown>>,
  options: ReplyOptions = {},
): Response {
  return new Response(jsonText(shape), {
    status: options.status ?? 200,
    headers: { "Content-Type": "application/json", ...options.headers },
  });
}

export function jsonText(shape: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(sorted(shape), undefined, 2)}\n`;
}

/** A copy with its keys in order; fromEntries() defines them, so "__proto__" is one like others. */
export function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Response of a stream: each pull() makes one chunk, undefined ends it; pulled as it is read. */
export function streamed(
  pull: () => Uint8Array | undefined | Promise<Uint8Array | undefined>,
  options: ReplyOptions = {},
): Response {
  let pulls = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // The server sends a stream that ends within one turn of the event loop whole, with its
        // length: a turn between the first chunk and the second keeps it a stream.
        if (pulls++ === 1) await Bun.sleep(0);
        const chunk = await pull();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    // Nothing is made before it is asked for: a HEAD request makes nothing at all.
    { highWaterMark: 0 },
  );
  return new Response(stream, {
    status: options.status ?? 200,
    headers: { "Content-Type": "application/octet-stream", ...options.headers },
  });
}
