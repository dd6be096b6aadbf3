import { messageOf } from "../base/errors.ts";
import { print, printError } from "../base/standard-streams.ts";
import { UsageError } from "./args.ts";

/** A command of the executable. Exit codes: 0 done, 1 refused, 2 wrong usage. */
export interface Command {
  readonly usage: string;
  /** One line for the overview. */
  readonly summary: string;
  /** What `--help` adds: arguments, options, exit codes. */
  readonly details: string;
  /** @throws UsageError for wrong arguments */
  run(args: readonly string[]): Promise<number>;
}

/** Each is loaded when it is asked for: most of what the others need would only cost time. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["run", async () => (await import("./run.ts")).run],
  ["validate", async () => (await import("./validate.ts")).validate],
  ["schema", async () => (await import("./schema.ts")).schema],
  ["inspect", async () => (await import("./inspect.ts")).inspect],
  ["plugin", async () => (await import("./plugin.ts")).plugin],
  ["httpbin", async () => (await import("./httpbin.ts")).httpbin],
  ["version", async () => (await import("./version.ts")).version],
]);

/** Command and its arguments → exit code. */
export async function runCommand(name: string, args: readonly string[]): Promise<number> {
  if (name === "--version" || name === "-v") return runCommand("version", []);
  if (name === "--help" || name === "-h" || name === "help") {
    const asked = await COMMANDS.get(args[0] ?? "")?.();
    print(asked === undefined ? await overview() : helpOf(asked));
    return 0;
  }
  const command = await COMMANDS.get(name)?.();
  if (command === undefined) {
    const what = name === "" ? "no command was given" : `unknown command "${name}"`;
    printError(`sluice: ${what}\n\n${await overview()}`);
    return 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    print(helpOf(command));
    return 0;
  }
  return runOne(command, args);
}

async function runOne(command: Command, args: readonly string[]): Promise<number> {
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) {
      printError(`sluice: ${error.message}\n\n${helpOf(command)}`);
      return 2;
    }
    printError(`sluice: ${messageOf(error)}\n`);
    return 1;
  }
}

async function overview(): Promise<string> {
  const commands = await Promise.all([...COMMANDS.values()].map((load) => load()));
  const lines = commands.map(({ usage, summary }) => `  ${usage.padEnd(36)} ${summary}`);
  return `Sluice, an API gateway with sandboxed WebAssembly filters

Usage: sluice COMMAND

${lines.join("\n")}

"sluice COMMAND --help" tells more. Exit codes: 0 done, 1 refused, 2 wrong usage.
`;
}

function helpOf(command: Command): string {
  return `${command.summary}\n\nUsage: sluice ${command.usage}\n\n${command.details.trim()}\n`;
}
