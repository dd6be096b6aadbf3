import { Refusal } from "./reply.ts";

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** @throws Refusal 400 unless `text` is a whole number in decimal digits within the range */
export function integer(name: string, text: string, range: Range): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return inRange(name, text, value, range, "a whole number");
}

/** @throws Refusal 400 unless `text` is a decimal number ("2", "0.5") within the range */
export function decimal(name: string, text: string, range: Range): number {
  const value = /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  return inRange(name, text, value, range, "a number");
}

function inRange(name: string, text: string, value: number, range: Range, kind: string): number {
  if (value >= range.min && value <= range.max) return value;
  const shown = JSON.stringify(text.slice(0, 40));
  throw new Refusal(
    400,
    `Cannot use ${shown} as ${name}: ${kind} from ${range.min} to ${range.max}`,
  );
}
