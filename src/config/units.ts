/**
 * Durations and sizes as they are written in gateway.yaml.
 *
 *   500ms  2s  1.5m  1h     a bare number is seconds, as in APISIX
 *   10MiB  64KiB  10MB      a bare number is bytes; KiB is 1024 bytes, KB is 1000
 */
export type Quantity =
  | { readonly value: number }
  /** What would be right, to stand behind "takes" in a diagnostic. */
  | { readonly expected: string };

/** ms; longer durations are mistakes, and timers lose their meaning there. */
export const DURATION_MS_MAX = 365 * 24 * 3_600_000;

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** JSON Schema patterns of the two, for editors; parsing itself says more than "no match". */
export const DURATION_PATTERN = "^\\d+(\\.\\d+)?(ms|s|m|h)?$";
export const SIZE_PATTERN = "^\\d+(\\.\\d+)?(B|KB|MB|GB|KiB|MiB|GiB)?$";

/** @returns ms, rounded to a whole number */
export function parseDuration(written: string | number): Quantity {
  const parsed = parseQuantity(written, MS_PER_UNIT, 1000, "duration", "500ms, 2s, 1m or 1h");
  if ("expected" in parsed) return parsed;
  const value = Math.round(parsed.value);
  if (value === 0 && parsed.value > 0) return { expected: "a duration of 0, or at least 1ms" };
  if (value > DURATION_MS_MAX) {
    return { expected: `a duration of at most ${formatDuration(DURATION_MS_MAX)}` };
  }
  return { value };
}

/** @returns bytes */
export function parseSize(written: string | number): Quantity {
  const parsed = parseQuantity(written, BYTES_PER_UNIT, 1, "size", "10MiB, 64KiB or 1GiB");
  if ("expected" in parsed) return parsed;
  if (!Number.isInteger(parsed.value)) return { expected: "a size of whole bytes" };
  if (!Number.isSafeInteger(parsed.value)) return { expected: "a size below 8388608GiB" };
  return parsed;
}

/** The shortest exact spelling: 90000 is "90s", 300000 is "5m". */
export function formatDuration(ms: number): string {
  return format(ms, MS_PER_UNIT, ["h", "m", "s"], "ms");
}

/** The shortest exact spelling in powers of 1024: 10485760 is "10MiB". */
export function formatSize(bytes: number): string {
  return format(bytes, BYTES_PER_UNIT, ["GiB", "MiB", "KiB"], "B");
}

function parseQuantity(
  written: string | number,
  units: Readonly<Record<string, number>>,
  bareUnit: number,
  noun: string,
  examples: string,
): Quantity {
  const expected = `a ${noun} such as ${examples}`;
  if (typeof written === "number") {
    if (!Number.isFinite(written) || written < 0) return { expected: `${expected}, 0 or more` };
    return { value: written * bareUnit };
  }
  const match = /^(\d{1,15}(?:\.\d{1,9})?)([A-Za-z]*)$/.exec(written);
  if (match === null) {
    const negative = /^-\d/.test(written);
    return { expected: negative ? `${expected}, 0 or more` : expected };
  }
  const [, digits = "", unit = ""] = match;
  if (unit === "") return { value: Number(digits) * bareUnit };
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    return { expected: `a ${noun} with one of the units ${Object.keys(units).join(", ")}` };
  }
  return { value: Number((Number(digits) * factor).toFixed(6)) };
}

function format(
  value: number,
  units: Readonly<Record<string, number>>,
  larger: readonly string[],
  smallest: string,
): string {
  if (value === 0) return "0";
  for (const unit of larger) {
    const factor = units[unit] ?? 1;
    if (value % factor === 0) return `${value / factor}${unit}`;
  }
  return `${value}${smallest}`;
}
