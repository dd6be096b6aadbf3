import { join } from "node:path";

/** A server in a process of its own, which `node` runs. */
export interface NodeServer extends AsyncDisposable {
  readonly port: number;
  /** "127.0.0.1:port", as it is written under `nodes`. */
  readonly address: string;
  /** Lines that it has printed after its port. */
  readonly lines: readonly string[];
  /** Resolves when it has printed that line that often. */
  printed(line: string, times?: number): Promise<void>;
}

/** @param file beside this one; it prints its port first. @param env beside our own */
export async function startNodeServer(
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<NodeServer> {
  const child = Bun.spawn({
    cmd: ["node", join(import.meta.dir, file)],
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const read = async (): Promise<void> => {
    let text = "";
    for await (const chunk of child.stdout) {
      text += Buffer.from(chunk).toString();
      const whole = text.split("\n");
      text = whole.pop() ?? "";
      lines.push(...whole);
    }
  };
  void read();
  while (lines.length === 0) {
    if (child.exitCode !== null) throw new Error(`${file} has not started`);
    await Bun.sleep(5);
  }
  const port = Number(/^port (\d+)$/.exec(lines.shift() ?? "")?.[1]);
  return {
    port,
    address: `127.0.0.1:${port}`,
    lines,
    async printed(line, times = 1) {
      while (lines.filter((each) => each === line).length < times) await Bun.sleep(5);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
