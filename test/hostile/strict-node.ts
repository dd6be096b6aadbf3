import type { Socket, TCPSocketListener } from "bun";

/** What the node answers with, as JSON: the request as it came. */
export interface Echo {
  readonly method: string;
  readonly target: string;
  /** Names in lower case and values, in order. */
  readonly lines: readonly (readonly [string, string])[];
  readonly body: string;
}

const REQUEST_LINE = /^([A-Z]+) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * An upstream node that takes nothing but perfect requests, and echoes them. Whatever else comes is
 * kept in `problems`, and the connection is broken. `/trailers` is answered in chunks, with
 * trailers.
 */
export class StrictNode implements AsyncDisposable {
  /** At most 20. */
  readonly problems: string[] = [];
  requests = 0;
  readonly #listener: TCPSocketListener<{ received: string }>;

  constructor() {
    this.#listener = Bun.listen<{ received: string }>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = { received: "" };
        },
        data: (socket, bytes) => {
          socket.data.received += Buffer.from(bytes).toString("latin1");
          this.#serve(socket);
        },
        error: () => {},
      },
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.stop(true);
    return Promise.resolve();
  }

  #serve(socket: Socket<{ received: string }>): void {
    for (;;) {
      const { received } = socket.data;
      if (received === "") return;
      const read = readRequest(received);
      if (read === undefined) return;
      if (typeof read === "string") {
        if (this.problems.length < 20) {
          this.problems.push(`${read} in ${JSON.stringify(received.slice(0, 400))}`);
        }
        socket.data.received = "";
        socket.terminate();
        return;
      }
      socket.data.received = received.slice(read.length);
      this.requests++;
      // Short enough for the socket's buffer: what does not fit would be lost.
      socket.write(answerTo(read.echo));
    }
  }
}

function answerTo(echo: Echo): string {
  const body = JSON.stringify(echo);
  const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  if (!echo.target.startsWith("/trailers")) {
    return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  }
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
  const chunked = "Trailer: X-Checked\r\nTransfer-Encoding: chunked\r\n\r\n";
  return `${head}${chunked}${chunk}0\r\nX-Checked: 1\r\n\r\n`;
}

/** @returns undefined while it is not whole; a sentence when it is not perfect */
function readRequest(text: string): { echo: Echo; length: number } | undefined | string {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return text.length > 200_000 ? "a head without an end" : undefined;
  const [requestLine = "", ...rest] = text.slice(0, headEnd).split("\r\n");
  const request = REQUEST_LINE.exec(requestLine);
  if (request === null) return "a bad request line";
  const lines: (readonly [string, string])[] = [];
  for (const line of rest) {
    const match = HEADER_LINE.exec(line);
    if (match === null) return `a bad header line ${JSON.stringify(line)}`;
    lines.push([(match[1] as string).toLowerCase(), (match[2] as string).trim()]);
  }
  const values = (wanted: string): string[] =>
    lines.filter(([name]) => name === wanted).map(([, value]) => value);
  const [host, ...hosts] = values("host");
  if (host === undefined || hosts.length > 0 || !/^[\w.:-]+$/.test(host)) return "a bad Host";
  const lengths = values("content-length");
  const codings = values("transfer-encoding");
  if (lengths.length + codings.length > 1) return "several framings";
  const start = headEnd + 4;
  const [length] = lengths;
  const [coding] = codings;
  let body: { body: string; end: number } | undefined | string = { body: "", end: start };
  if (length !== undefined) {
    if (!/^\d{1,9}$/.test(length)) return "a bad length";
    const end = start + Number(length);
    body = end > text.length ? undefined : { body: text.slice(start, end), end };
  } else if (coding !== undefined) {
    body = coding === "chunked" ? dechunk(text, start) : "a bad coding";
  }
  if (body === undefined || typeof body === "string") return body;
  const echo = {
    method: request[1] as string,
    target: request[2] as string,
    lines,
    body: body.body,
  };
  return { echo, length: body.end };
}

function dechunk(text: string, start: number): { body: string; end: number } | undefined | string {
  let body = "";
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(line)) return "a bad chunk size";
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (at + size + 2 > text.length) return undefined;
    body += text.slice(at, at + size);
    if (text.slice(at + size, at + size + 2) !== "\r\n") return "a bad chunk end";
    at += size + 2;
  }
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return undefined;
    if (end === at) return { body, end: end + 2 };
    if (!HEADER_LINE.test(text.slice(at, end))) return "a bad trailer line";
    at = end + 2;
  }
}

/** Accepts connections and requests, and never answers. */
export class SilentNode implements AsyncDisposable {
  readonly #listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.stop(true);
    return Promise.resolve();
  }
}
