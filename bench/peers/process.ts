import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { pinned } from "./cores.ts";

/** User and system time, of a process and its children together. */
export interface CpuMicros {
  readonly user: number;
  readonly system: number;
}

export interface Command {
  readonly cmd: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** µs; the kernel counts in hundredths of a second: rounds have to be long against that. */
const TICK_MICROS = 10_000;
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 5_000;
/** ms; of a connection to a server that has started. */
const STAYS_MS = 30;
/** bytes; end of a server's output that is told when it does not start. */
const OUTPUT_BYTES_MAX = 4096;

/** A server on certain processor cores; it and its children are measured from outside. */
export class PinnedServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  #output = "";

  private constructor(command: Command, cores: string, port: number) {
    this.port = port;
    this.#child = Bun.spawn({
      cmd: pinned(cores, command.cmd),
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    void this.#collect(this.#child.stdout);
    void this.#collect(this.#child.stderr);
  }

  /**
   * Resolves when it accepts connections.
   * @param cores as taskset knows them: "0", "0-1"
   * @throws Error with the end of its output when it ends or does not listen in time
   */
  static async start(command: Command, cores: string, port: number): Promise<PinnedServer> {
    const server = PinnedServer.spawn(command, cores, port);
    const late = performance.now() + START_MS_MAX;
    while (!(await accepts(port))) {
      if (server.hasEnded || performance.now() > late) {
        await server[Symbol.asyncDispose]();
        throw new Error(`Cannot start ${command.cmd.join(" ")}:\n${server.#output}`);
      }
      await Bun.sleep(10);
    }
    return server;
  }

  /** Does not wait for it. */
  static spawn(command: Command, cores: string, port: number): PinnedServer {
    return new PinnedServer(command, cores, port);
  }

  /** Ids of the process and all that it has started, the first one first. */
  get pids(): number[] {
    const pids = [this.#child.pid];
    for (const pid of pids) pids.push(...childrenOf(pid));
    return pids;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** So far. Of children that have ended, too. */
  cpu(): CpuMicros {
    let user = 0;
    let system = 0;
    for (const pid of this.pids) {
      // "pid (name) S ppid …": the name may have blanks, so count from behind it.
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const ticks = (at: number): number => Number(fields[at]);
      user += ticks(11) + ticks(13);
      system += ticks(12) + ticks(14);
    }
    return { user: user * TICK_MICROS, system: system * TICK_MICROS };
  }

  /** bytes; pages that several of them share are counted once. */
  pssBytes(): number {
    let kib = 0;
    for (const pid of this.pids) {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
      kib += Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1]);
    }
    return kib * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pids = this.pids;
    this.#child.kill("SIGTERM");
    await Promise.race([this.#child.exited, Bun.sleep(STOP_MS_MAX)]);
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    await this.#child.exited;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const output = this.#output + decoder.decode(chunk, { stream: true });
      this.#output = output.slice(-OUTPUT_BYTES_MAX);
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").trim();
      return text === "" ? [] : text.split(" ").map(Number);
    });
  } catch {
    return []; // It has ended.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @returns false also when it hangs up: a master may only try whether it can have the port */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (stays: boolean): void => {
      socket.destroy();
      resolve(stays);
    };
    socket.once("connect", () => setTimeout(done, STAYS_MS, true));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
