import type * as CommandLine from "node:util";
import type { ParseArgsConfig } from "node:util";
import { messageOf } from "../base/errors.ts";

/** The command line is wrong: exit code 2, with the command's help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Options and positional arguments of one command.
 * @param positionalMax more of them are wrong usage
 * @throws UsageError
 */
export function parse<T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: T,
  positionalMax: number,
) {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  const { parseArgs } = require("node:util") as typeof CommandLine;
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
  const surplus = parsed.positionals[positionalMax];
  if (surplus !== undefined) throw new UsageError(`unexpected argument "${surplus}"`);
  return parsed;
}

/**
 * The same for a command without options.
 * @returns the positional arguments
 */
export function parsePositionals(
  args: readonly string[],
  positionalMax: number,
): readonly string[] {
  const areUsual = args.length <= positionalMax && !args.some((each) => each.startsWith("-"));
  return areUsual ? args : parse(args, {}, positionalMax).positionals;
}
