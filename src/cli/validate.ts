import { isErrorTerminal, print, printError } from "../base/standard-streams.ts";
import { diagnosticsAsJson, renderDiagnostics } from "../config/render.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { loadPlan } from "../gateway/master.ts";
import { tryOut } from "../gateway/try-out.ts";
import { parse } from "./args.ts";
import type { Command } from "./command.ts";
import { workerCommand } from "./worker-command.ts";

export const validate: Command = {
  usage: "validate [FILE] [--json]",
  summary: "Check a configuration and every plugin that it uses",
  details: `
  FILE     the configuration, default ./gateway.yaml
  --json   print the diagnostics as JSON

Everything is checked that a start would need, except ports and nodes: syntax, every key and
reference, and each plugin's module, which is loaded, started and configured in a process of its
own. All problems are printed at once.

Exit codes: 0 valid, 1 refused, 2 wrong usage.`,
  async run(args) {
    const { positionals, values } = parse(args, { json: { type: "boolean" } }, 1);
    const file = positionals[0] ?? "gateway.yaml";
    const { diagnostics, text } = await check(file);
    const valid = diagnostics.every(({ severity }) => severity !== "error");
    if (values["json"] === true) {
      print(`${diagnosticsAsJson(diagnostics)}\n`);
    } else {
      const color = isErrorTerminal();
      printError(renderDiagnostics(diagnostics, text, { color }));
      if (valid) print(`${file}: valid\n`);
    }
    return valid ? 0 : 1;
  },
};

async function check(file: string): Promise<{ diagnostics: readonly Diagnostic[]; text: string }> {
  const loaded = await loadPlan(file, 1);
  if (!loaded.ok) return loaded;
  const refused = await tryOut(workerCommand(), loaded.plan);
  return { diagnostics: [...loaded.warnings, ...refused], text: loaded.text };
}
