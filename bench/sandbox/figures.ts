/** Of measurements, and how they are shown. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** @param values at least one */
export function percentiles(values: Float64Array): Percentiles {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
}

/** @param part of the values that lies below the answer: 0 to 1 */
export function quantile(values: ArrayLike<number>, part: number): number {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function us(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

/** 1.034 is "+3.4 %". */
export function percent(ratio: number): string {
  const value = (ratio - 1) * 100;
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} %`;
}

/** Markdown; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = rows;
  const lines = [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rest];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
