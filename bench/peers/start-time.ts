import { connect, type Socket } from "node:net";
import type { Place, Prepared } from "./place.ts";
import { PinnedServer } from "./process.ts";

const START_MS_MAX = 20_000;
/** ms; each look takes some of the cores that the server starts on: of 1 ms, a sixth of one. */
const LOOK_MS = 3;

/** A server that has answered for the first time; ms since its process was spawned. */
export interface Started {
  readonly server: PinnedServer;
  /** To the connection that got the first answer. */
  readonly listeningMs: number;
  readonly answeredMs: number;
}

/**
 * Starts what stands in the place already, and asks until it answers.
 * @param path that it answers with 200
 * @throws Error when it ends, does not listen in time or answers with an error
 */
export async function startTimed(
  { command }: Prepared,
  { folder, port }: Place,
  path: string,
  cores: string,
): Promise<Started> {
  const startedAt = performance.now();
  const server = PinnedServer.spawn({ ...command, cwd: folder }, cores, port);
  try {
    while (!server.hasEnded && performance.now() - startedAt < START_MS_MAX) {
      const socket = await open(port);
      const listeningMs = performance.now() - startedAt;
      const answer = socket === undefined ? "" : await ask(socket, path);
      // A master may try whether it can have the port at all, and hang up on whoever comes then.
      if (answer.startsWith("HTTP/1.1 200")) {
        return { server, listeningMs, answeredMs: performance.now() - startedAt };
      }
      if (answer !== "") throw new Error(`Cannot use the answer: ${answer}`);
      await Bun.sleep(LOOK_MS);
    }
    throw new Error(`Cannot start ${command.cmd.join(" ")}`);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** @returns undefined while nobody listens */
function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}

/** @returns the first bytes of the answer; empty when the connection ends without one */
function ask(socket: Socket, path: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString("latin1"));
    });
    socket.once("error", () => {}); // Then it closes.
    socket.once("close", () => resolve(""));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  });
}
