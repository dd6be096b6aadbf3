import { LIMITS } from "../base/limits.ts";
import type { Findings } from "./findings.ts";
import type * as FullYaml from "./full-yaml.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import type { ConfigNode } from "./tree.ts";
import { formatSize } from "./units.ts";

/** What no YAML text may hold: control characters but tab and line ends, and half characters. */
const FORBIDDEN = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;

/**
 * Text to tree, with all that can be wrong before a single key is looked at.
 * @returns undefined when there is an error
 */
export function readDocument(findings: Findings): ConfigNode | undefined {
  const { text } = findings.source;
  if (text.length > LIMITS.configBytesMax) {
    reportTooLarge(text.length, findings);
    return undefined;
  }
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden !== null) {
    const code = forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    const span = { start: forbidden.index, end: forbidden.index + 1 };
    const message = `character U+${code} cannot stand in a configuration`;
    findings.error("CONFIG_ENCODING", span, message);
    return undefined;
  }
  const tree = readPlainYaml(text) ?? fullYaml().readFullYaml(text, findings);
  if (tree?.kind === "scalar" && tree.value === null) {
    findings.error("CONFIG_EMPTY", undefined, "the file is empty, or holds only comments");
    return undefined;
  }
  return tree;
}

/** Loaded for who needs it: few do, and with its package it is a good part of a start. */
function fullYaml(): typeof FullYaml {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  return require("./full-yaml.ts") as typeof FullYaml;
}

export function reportTooLarge(bytes: number, findings: Findings): void {
  const limit = formatSize(LIMITS.configBytesMax);
  const message = `the file has ${bytes} bytes, a configuration has at most ${limit}`;
  findings.error("CONFIG_FILE_TOO_LARGE", undefined, message);
}
