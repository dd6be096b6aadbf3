import { print } from "../base/standard-streams.ts";
import { VERSION } from "../base/version.ts";
import { parse } from "./args.ts";
import type { Command } from "./command.ts";

export const version: Command = {
  usage: "version",
  summary: "Print the versions of Sluice and of the runtime inside",
  details: "",
  async run(args) {
    parse(args, {}, 0);
    print(`sluice ${VERSION} (Bun ${Bun.version}, ${process.platform}-${process.arch})\n`);
    return 0;
  },
};
