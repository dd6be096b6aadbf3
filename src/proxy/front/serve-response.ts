import { freeBuffer } from "../../base/free-buffer.ts";
import { type Body, collect, MemoryBody } from "../../http/body.ts";
import type { HeaderList } from "../../http/headers.ts";
import type { Answer } from "./front.ts";

/**
 * An Answer as the Response that Bun.serve writes best:
 *
 *   no body                    Response(null)
 *   known and below 16 KiB     one buffer: Content-Length is kept, one send
 *   everything else            a direct stream: chunked, whatever length is known
 *
 * Why 16 KiB: from there on Bun 1.4.5 sends each header fragment of a buffered response in a system
 * call of its own, and a direct stream costs a third to a fifth. Why not always a buffer: a body
 * that nobody needs whole is not collected.
 */
const BUFFERED_BYTES_MAX = 16 * 1024 - 1;

/** @param onEnd the answer has been handed over to its last byte, or was broken off */
export async function toResponse(
  answer: Answer,
  close: boolean,
  onEnd: () => void,
): Promise<Response> {
  const headers = headerPairs(answer.headers, close);
  const { body, status } = answer;
  if (body === undefined) {
    onEnd();
    return new Response(isHeadWithoutLength(answer) ? emptyStream() : null, { status, headers });
  }
  if (body.length !== undefined && body.length <= BUFFERED_BYTES_MAX && isBufferable(answer)) {
    try {
      const bytes = await collect(body, BUFFERED_BYTES_MAX);
      return new Response(body.length === 0 ? null : (bytes as Uint8Array<ArrayBuffer>), {
        status,
        headers,
      });
    } finally {
      onEnd();
    }
  }
  return new Response(directStream(body, onEnd), { status, headers });
}

/** An answer to HEAD: for no body at all Bun would claim a length of 0, which GET may not have. */
function isHeadWithoutLength({ status, headers }: Answer): boolean {
  return status !== 204 && status !== 304 && !headers.has("content-length");
}

function emptyStream(): ReadableStream {
  return directStream(new MemoryBody(new Uint8Array(0)), () => {});
}

/** Bun invents a Content-Type for a buffer, also where the node had sent none; not for a stream. */
function isBufferable(answer: Answer): boolean {
  return answer.body?.length === 0 || answer.headers.has("content-type");
}

function headerPairs(headers: HeaderList, close: boolean): [string, string][] {
  const pairs = [...headers].filter(([name]) => !OURS.has(name.toLowerCase()));
  if (close) pairs.push(["Connection", "close"]);
  return pairs;
}

/** What only the writer of a connection may say about it; a filter may have tried. */
const OURS = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"]);

/** What Bun gives to a direct stream's pull; its types know it only in part. */
interface DirectController {
  write(chunk: Uint8Array): number | Promise<number>;
  flush(): number | Promise<number>;
  end(): void;
}

/** bytes; Bun copies what it is handed: pieces of this size keep its buffer, and RSS, small. */
const WRITE_BYTES = 64 * 1024;

function directStream(body: Body, onEnd: () => void): ReadableStream {
  const source = {
    type: "direct" as const,
    async pull(controller: DirectController): Promise<void> {
      try {
        for (;;) {
          const chunk = await body.read();
          if (chunk === undefined) break;
          const isOwned = body.givesBuffer === true; // Before another one is read.
          for (let at = 0; at < chunk.byteLength; at += WRITE_BYTES) {
            await controller.write(chunk.subarray(at, at + WRITE_BYTES));
            await controller.flush(); // A promise while the client takes no more: back-pressure.
          }
          if (isOwned) freeBuffer(chunk);
        }
        controller.end();
        onEnd();
      } catch {
        // The exchange has logged why. Throwing nothing makes Bun reset the connection without a
        // dump of our source on stderr: a broken body must not look complete.
        onEnd();
        throw undefined;
      }
    },
    cancel(reason: unknown): void {
      body.cancel(reason);
      onEnd();
    },
  };
  // The standard's types have no "direct" source; Bun's underlying type is not exported.
  return new ReadableStream(source as unknown as ConstructorParameters<typeof ReadableStream>[0]);
}
