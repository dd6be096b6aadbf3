/** RE2 refuses what repeats more often, nested repetitions multiplied. */
const REPEATS_MAX = 1000;

/** What stands for itself, for a class, or for a place: one or two instructions. */
const TOKENS = new RegExp(
  [
    /\\Q[^]*?\\E/,
    /\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\[^]/,
    /\[\^?\]?(?:\\[^]|\[:[^\]]*:\]|[^\]\\])*\]/,
    /\{(\d+)(?:,(\d*))?\}/,
    /[^]/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/**
 * How many instructions the program of a pattern has at most, before it is compiled: repetitions
 * are written out, and a few characters become thousands of them.
 */
export function patternSize(pattern: string): number {
  const outer: number[] = [];
  let size = 0;
  let last = 0;
  for (const [token, least, most] of pattern.matchAll(TOKENS)) {
    if (token === "(") {
      outer.push(size);
      size = 0;
      last = 0;
    } else if (token === ")" && outer.length > 0) {
      last = size + 2; // Where the group begins and ends.
      size = (outer.pop() ?? 0) + last;
    } else if (least !== undefined) {
      const times = Math.min(REPEATS_MAX, Math.max(Number(least), Number(most ?? 0)));
      // An optional one is one more, and one that goes on for ever stands there once more.
      const repeated = 2 * last * (times + 1);
      size += repeated - last;
      last = repeated;
    } else {
      last = token.length;
      size += last;
    }
  }
  for (const before of outer) size += before;
  return size;
}
