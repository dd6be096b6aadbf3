import { messageOf } from "../base/errors.ts";
import { UsageError } from "./args.ts";
import { httpbin } from "./httpbin.ts";
import { inspect } from "./inspect.ts";
import { plugin } from "./plugin.ts";
import { run } from "./run.ts";
import { schema } from "./schema.ts";
import { validate } from "./validate.ts";
import { version } from "./version.ts";
import { worker } from "./worker.ts";

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

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["run", run],
  ["validate", validate],
  ["schema", schema],
  ["inspect", inspect],
  ["plugin", plugin],
  ["httpbin", httpbin],
  ["version", version],
]);

/** argv → command → exit code. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name = "", ...args] = argv;
  if (name === "worker") return worker();
  if (name === "--version" || name === "-v") return version.run([]);
  if (name === "--help" || name === "-h" || name === "help") {
    const asked = COMMANDS.get(args[0] ?? "");
    process.stdout.write(asked === undefined ? overview() : helpOf(asked));
    return 0;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    const what = name === "" ? "no command was given" : `unknown command "${name}"`;
    process.stderr.write(`sluice: ${what}\n\n${overview()}`);
    return 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  return runOne(command, args);
}

async function runOne(command: Command, args: readonly string[]): Promise<number> {
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`sluice: ${error.message}\n\n${helpOf(command)}`);
      return 2;
    }
    process.stderr.write(`sluice: ${messageOf(error)}\n`);
    return 1;
  }
}

function overview(): string {
  const lines = [...COMMANDS.values()].map(
    ({ usage, summary }) => `  ${usage.padEnd(36)} ${summary}`,
  );
  return `Sluice, an API gateway with sandboxed WebAssembly filters

Usage: sluice COMMAND

${lines.join("\n")}

"sluice COMMAND --help" tells more. Exit codes: 0 done, 1 refused, 2 wrong usage.
`;
}

function helpOf(command: Command): string {
  return `${command.summary}\n\nUsage: sluice ${command.usage}\n\n${command.details.trim()}\n`;
}
