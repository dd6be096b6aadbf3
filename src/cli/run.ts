import { AdminPorts } from "../admin/admin-ports.ts";
import { Master } from "../gateway/master.ts";
import { parse } from "./args.ts";
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
    const { positionals } = parse(args, {}, 1);
    const master = new Master(
      positionals[0] ?? "gateway.yaml",
      workerCommand(),
      (status) => new AdminPorts(status),
    );
    return master.run();
  },
};
