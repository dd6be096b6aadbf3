import type { Scalar } from "./tree.ts";

/**
 * What an unquoted scalar stands for in YAML 1.2's core schema: null, a boolean, a number or text.
 * (So `yes` and `on` are text, `0x1f` and `0o17` are numbers, and `0777` is 777.)
 * @see https://yaml.org/spec/1.2.2/#1032-tag-resolution
 */
export function resolvePlain(text: string): Scalar {
  if (text === "" || /^(?:~|null|Null|NULL)$/.test(text)) return null;
  // Most scalars are words; only these letters can begin something else.
  if (!/^[-+.0-9tTfF]/.test(text)) return text;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?\d+$/.test(text)) return Number.parseInt(text, 10);
  if (/^0o[0-7]+$/.test(text)) return Number.parseInt(text.slice(2), 8);
  if (/^0x[0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number.parseFloat(text);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) {
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  return text;
}
