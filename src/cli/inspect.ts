import { messageOf } from "../base/errors.ts";
import { print } from "../base/standard-streams.ts";
import { inspectModule } from "../abi/inspect.ts";
import { renderReport } from "../abi/render-report.ts";
import { parse, UsageError } from "./args.ts";
import type { Command } from "./command.ts";

export const inspect: Command = {
  usage: "inspect PLUGIN.wasm",
  summary: "Show a module's ABI, callbacks and imports, and what is wrong with it",
  details: `
  PLUGIN.wasm   a module file

Nothing of the module is run.

Exit codes: 0 it can be loaded, 1 it cannot (the reasons are printed), 2 wrong usage.`,
  async run(args) {
    const { positionals } = parse(args, {}, 1);
    const [file] = positionals;
    if (file === undefined) throw new UsageError("inspect needs a module file");
    const report = inspectModule(await read(file));
    print(renderReport(report));
    return report.problems.length === 0 ? 0 : 1;
  },
};

async function read(file: string): Promise<Uint8Array> {
  try {
    return await Bun.file(file).bytes();
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
