import { PATIENCE_MS } from "./gateway.ts";

/** One HTTP/1.1 response as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  /** Lower-case names, values in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Body with its chunking taken off. */
  readonly body: string;
}

/**
 * Sends bytes and reads until the other side closes.
 * @param text latin-1
 * @returns everything that came, latin-1; what came until then when PATIENCE_MS pass
 */
export async function sendRaw(
  port: number,
  text: string,
): Promise<{ text: string; closed: boolean }> {
  const raw = await RawConnection.open(port);
  await raw.write(text);
  const closed = await raw.closed();
  return { text: raw.received, closed };
}

/** A TCP connection under the test's control. */
export class RawConnection implements Disposable {
  /** latin-1 */
  received = "";
  /** It was closed by a reset, without a FIN. */
  wasReset = false;
  #socket: Bun.Socket | undefined;
  #ended = false;
  #waiting: (() => void) | undefined;

  static async open(port: number): Promise<RawConnection> {
    const raw = new RawConnection();
    raw.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, bytes) => raw.#take(bytes),
        drain: () => raw.#waiting?.(),
        close: (_, error) => raw.#end(error !== undefined),
        end: () => raw.#end(),
        error: () => raw.#end(),
      },
    });
    return raw;
  }

  /** latin-1; resolves when the kernel has taken all of it, or the connection is gone */
  async write(text: string): Promise<void> {
    let bytes = Buffer.from(text, "latin1");
    while (!this.#ended) {
      const written = this.#socket?.write(bytes) ?? 0;
      bytes = bytes.subarray(Math.max(0, written));
      if (bytes.length === 0) return;
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Sends the FIN and reads on. */
  shutdown(): void {
    this.#socket?.shutdown();
  }

  close(): void {
    this.#socket?.terminate();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Waits until what was received matches. @throws when the connection ends or PATIENCE_MS pass */
  async until(pattern: RegExp): Promise<string> {
    const giveUp = Date.now() + PATIENCE_MS;
    while (!pattern.test(this.received)) {
      if (this.#ended || Date.now() > giveUp) {
        throw new Error(`Cannot find ${String(pattern)} in ${JSON.stringify(this.received)}`);
      }
      await this.changed(giveUp - Date.now());
    }
    return this.received;
  }

  /** Waits for the other side's end; false after `withinMs`. */
  async closed(withinMs = PATIENCE_MS): Promise<boolean> {
    const giveUp = Date.now() + withinMs;
    while (!this.#ended && Date.now() < giveUp) await this.changed(giveUp - Date.now());
    return this.#ended;
  }

  /**
   * Waits until that many final responses are complete, or the connection has ended.
   * @throws when something else than responses came, or one was cut short
   */
  async responses(count: number): Promise<RawResponse[]> {
    const giveUp = Date.now() + PATIENCE_MS;
    for (;;) {
      const done = this.#ended || Date.now() > giveUp;
      try {
        const responses = parseResponses(this.received);
        if (responses.length >= count || done) return responses;
      } catch (error) {
        if (done) throw error;
      }
      await this.changed(giveUp - Date.now());
    }
  }

  /** Resolves when bytes, or the end, have come, or so many ms have passed. */
  changed(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, withinMs);
      this.#waiting = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  #take(bytes: Uint8Array): void {
    this.received += Buffer.from(bytes).toString("latin1");
    this.#waiting?.();
  }

  #end(isReset = false): void {
    this.wasReset ||= isReset && !this.#ended;
    this.#ended = true;
    this.#waiting?.();
  }
}

/** Takes received text apart into the responses that it holds. @throws when it is cut short */
export function parseResponses(text: string): RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = text;
  while (rest !== "") {
    const [response, after] = parseOne(rest);
    if (response.status >= 200) responses.push(response);
    rest = after;
  }
  return responses;
}

function parseOne(text: string): [response: RawResponse, rest: string] {
  const headEnd = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (headEnd < 0 || Number.isNaN(status)) {
    throw new Error(`Cannot read a response from ${JSON.stringify(text.slice(0, 200))}`);
  }
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const after = text.slice(headEnd + 4);
  if (status < 200 || status === 204 || status === 304) {
    return [{ status, headers, body: "" }, after];
  }
  if (headers.get("transfer-encoding")?.[0] === "chunked") {
    const [body, rest] = dechunk(after);
    return [{ status, headers, body }, rest];
  }
  const length = Number(headers.get("content-length")?.[0] ?? after.length);
  if (after.length < length) throw new Error(`Cannot read ${length} bytes of ${after.length}`);
  return [{ status, headers, body: after.slice(0, length) }, after.slice(length)];
}

function dechunk(text: string): [body: string, rest: string] {
  let body = "";
  let rest = text;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error("Cannot read a chunk: it is cut short");
    if (size === 0) return [body, rest.slice(rest.indexOf("\r\n\r\n", lineEnd - 2) + 4)];
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    rest = rest.slice(lineEnd + 2 + size + 2);
  }
}
