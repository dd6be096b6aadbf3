import { WorkerStarter } from "../gateway/worker-starter.ts";
import { parsePositionals } from "./args.ts";
import type { Command } from "./command.ts";
import { workerCommand } from "./worker-command.ts";

export const run: Command = {
  usage: "run [FILE]",
  summary: "Serve a configuration until SIGTERM",
  details: `
  FILE   the configuration, default ./gateway.yaml; watched, with the plugin folder

A change is taken over as a whole, or refused with its diagnostics while the last valid
configuration goes on serving. SIGHUP reloads too; SIGTERM and SIGINT finish what is in flight
(at most the configuration's "drain"), a second one ends at once.

Exit codes: 0 stopped, 1 the configuration was refused at the start, 2 wrong usage.`,
  async run(args) {
    const [file = "gateway.yaml"] = parsePositionals(args, 1);
    // First of all: while they start, this process loads and reads the rest.
    const starter = new WorkerStarter(workerCommand());
    const ahead = starter.startAhead();
    const { Workers } = await import("../gateway/workers.ts");
    const { Master } = await import("../gateway/master.ts");
    const { AdminPorts } = await import("../admin/admin-ports.ts");
    const workers = new Workers(starter, ahead);
    return new Master(file, workers, (status) => new AdminPorts(status)).run();
  },
};
