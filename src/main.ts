// Each command is loaded when it is asked for: what a worker never needs (the reader of the
// configuration, the watch) would cost each of them half of the time that it takes to start.
const [name = "", ...args] = process.argv.slice(2);
if (name === "worker") {
  const { worker } = await import("./cli/worker.ts");
  process.exitCode = await worker();
} else {
  const { runCommand } = await import("./cli/command.ts");
  process.exitCode = await runCommand(name, args);
}
