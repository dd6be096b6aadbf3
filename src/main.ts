import { runCommand } from "./cli/command.ts";

// Whoever reads our log may go away; that must not end the gateway.
process.stderr.on("error", () => {});
process.stdout.on("error", () => {});

process.exitCode = await runCommand(process.argv.slice(2));
