/**
 * Sends a message on each of many connections, and the next one when it has come back:
 * `bun echo-client.ts URL KIND BYTES CONNECTIONS MS`, where KIND is text or binary. Prints one JSON
 * line: messages that came back, once all connections had been opened.
 */
export interface Echoed {
  readonly echoes: number;
  readonly micros: number;
}

/** @throws Error when a connection fails, or another message comes back */
async function echo(
  url: string,
  message: string | Uint8Array<ArrayBuffer>,
  connections: number,
  ms: number,
): Promise<Echoed> {
  const isText = typeof message === "string";
  let echoes = 0;
  const failed = Promise.withResolvers<never>();
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = new WebSocket(url);
      socket.binaryType = "arraybuffer";
      const opened = Promise.withResolvers<void>();
      socket.addEventListener("open", () => opened.resolve());
      socket.addEventListener("error", () => failed.reject(new Error(`Cannot use ${url}`)));
      socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
        const size = typeof data === "string" ? data.length : data.byteLength;
        if (size !== message.length || (typeof data === "string") !== isText) {
          failed.reject(new Error(`Cannot use an echo of ${size} bytes`));
        }
        echoes++;
        socket.send(message);
      });
      await Promise.race([opened.promise, failed.promise]);
      return socket;
    }),
  );
  const startedAt = performance.now();
  for (const socket of sockets) socket.send(message);
  await Promise.race([Bun.sleep(ms), failed.promise]);
  return { echoes, micros: (performance.now() - startedAt) * 1000 };
}

if (import.meta.main) {
  const [url = "", kind, bytes, connections, ms] = Bun.argv.slice(2);
  const text = "x".repeat(Number(bytes));
  const message = kind === "text" ? text : new TextEncoder().encode(text);
  const echoed = await echo(url, message, Number(connections), Number(ms));
  process.stdout.write(`${JSON.stringify(echoed)}\n`, () => process.exit(0));
}
