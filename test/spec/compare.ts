/** Plays scripts in every variant and says where rewriting made a difference. */
import { play, type Played } from "./player.ts";
import type { Script } from "./script.ts";
import { VARIANTS } from "./variant.ts";

export interface Comparison {
  /** Commands per script. */
  readonly commands: Readonly<Record<string, number>>;
  /** Assertions that do not hold before anything is rewritten, as "script:line kind: what came". */
  readonly failures: readonly string[];
  /** The same, prefixed with the variant, where its outcome is another than without rewriting. */
  readonly differences: readonly string[];
  /** Commands of one variant (all three refuse the same) that need a refused module, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Refused modules that would have written to what others see make what follows uncertain. */
const AFTER_REFUSED = "comes after a refused module that shares state";

export function compare(scripts: Iterable<Script>): Comparison {
  const commands: Record<string, number> = {};
  const failures: string[] = [];
  const differences: string[] = [];
  const refused: Record<string, number> = {};
  for (const script of scripts) {
    commands[script.name] = script.commands.length;
    const plain = play(script, "plain");
    failures.push(
      ...plain.filter(({ verdict }) => verdict !== "as asserted").map((each) => at(script, each)),
    );
    for (const variant of VARIANTS.slice(1)) {
      const count = (reason: string): void => {
        if (variant === "both") refused[reason] = (refused[reason] ?? 0) + 1;
      };
      let sharesState = false;
      play(script, variant).forEach((after, n) => {
        const before = plain[n];
        if (after.verdict === "refused") {
          sharesState ||= after.outcome.includes("it imports");
          count(withoutOffset(after.outcome));
        } else if (before === undefined || !equal(before, after)) {
          if (sharesState) count(AFTER_REFUSED);
          else differences.push(`${variant} ${at(script, after)}, before: ${before?.outcome}`);
        }
      });
    }
  }
  return { commands, failures, differences, refused };
}

function at(script: Script, { line, kind, outcome }: Played): string {
  return `${script.name}:${line} ${kind}: ${outcome}`;
}

/** Being stricter than the engine with what is invalid is right. */
function equal(before: Played, after: Played): boolean {
  if (after.kind === "refused" && after.verdict === "as asserted") return true;
  if (before.verdict !== after.verdict) return false;
  // Why there is no instance is said in other words when data is written by a function.
  return before.outcome === after.outcome || before.kind === "module";
}

function withoutOffset(reason: string): string {
  return reason.replace(/ \(at byte \d+\)$/, "");
}
