import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withFront } from "./default-front.ts";

/** The executable that compile.sh has built. */
export const SLUICE = join(import.meta.dir, "../../../dist/sluice");

/** ms that a test waits for something that has to happen; a bound, not a pause. */
export const PATIENCE_MS = 20_000;

export interface GatewayOptions {
  /** More files of its folder: path below it, content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running `sluice run gateway.yaml` in a folder of its own. */
export class Gateway implements AsyncDisposable {
  readonly folder: string;
  readonly child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  /** Lines of its log so far. */
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];
  readonly #drained: Promise<void>;

  constructor(folder: string, options: GatewayOptions) {
    this.folder = folder;
    this.child = Bun.spawn({
      cmd: [SLUICE, "run", "gateway.yaml"],
      cwd: folder,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#drained = this.#readLog();
    void this.child.exited.then(() => this.#wake());
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Ports of its listeners, in the order of the configuration. */
  get ports(): number[] {
    return this.lines
      .filter((line) => line.includes(" listening "))
      .map((line) => Number(/:(\d+)$/.exec(line)?.[1]));
  }

  get port(): number {
    return this.ports[0] ?? 0;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url(path), { redirect: "manual", ...init });
  }

  /** Process ids of its workers, oldest first. */
  workers(): number[] {
    const found = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(this.pid)]);
    return found.stdout
      .toString()
      .split("\n")
      .map((line) => Number(line))
      .filter((pid) => pid > 0);
  }

  /**
   * The first log line from `from` on that matches; waits for it.
   * @throws when the gateway ends, or PATIENCE_MS pass, without it
   */
  async logged(pattern: RegExp, from = 0): Promise<string> {
    const giveUp = Date.now() + PATIENCE_MS;
    for (;;) {
      const line = this.lines.slice(from).find((text) => pattern.test(text));
      if (line !== undefined) return line;
      if (this.child.exitCode !== null || Date.now() > giveUp) {
        throw new Error(`Cannot find ${String(pattern)} in the log:\n${this.lines.join("\n")}`);
      }
      await this.#change(giveUp - Date.now());
    }
  }

  /** Replaces its configuration and waits for the verdict on it. */
  async reload(yaml: string): Promise<"reloaded" | "refused"> {
    const from = this.lines.length;
    await Bun.write(join(this.folder, "gateway.yaml"), withFront(yaml));
    const line = await this.logged(/ (reloaded|reload refused)/, from);
    return line.includes("refused") ? "refused" : "reloaded";
  }

  /** Ends it as an operator would. @returns its exit code */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.child.kill(signal);
    const code = await this.child.exited;
    await this.#drained;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) {
      // Its workers end when their master does.
      this.child.kill("SIGKILL");
      await this.child.exited;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  async #readLog(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.child.stderr) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#wake();
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, withinMs);
      this.#waiting.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }
}

/** Starts a gateway, on DEFAULT_FRONT when its configuration names none; waits until it serves. */
export async function startGateway(yaml: string, options: GatewayOptions = {}): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  const files = { "gateway.yaml": withFront(yaml), ...options.files };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await Bun.write(join(folder, path), content);
  }
  const gateway = new Gateway(folder, options);
  await gateway.logged(/ serving /);
  return gateway;
}

/** Runs one command of the executable to its end. */
export async function sluice(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = Bun.spawn({
    cmd: [SLUICE, ...args],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** Asks again until the answer is right. @throws after PATIENCE_MS, with the last answer */
export async function until<T>(
  ask: () => T | Promise<T>,
  isRight: (answer: T) => boolean,
): Promise<T> {
  const giveUp = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (Date.now() > giveUp) throw new Error(`Cannot wait longer; last: ${JSON.stringify(answer)}`);
    await Bun.sleep(0);
  }
}
