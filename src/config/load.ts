import { resolve } from "node:path";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { buildConfig } from "./build.ts";
import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type Environment, substituteEnvironment } from "./environment.ts";
import { Findings } from "./findings.ts";
import { FILES_ON_DISK, type PluginFiles } from "./plugin-files.ts";
import { readDocument, reportTooLarge } from "./read-document.ts";
import { SourceText } from "./tree.ts";

/**
 * From a file to a typed configuration:
 *
 *   bytes → text → tree with positions → ${{variables}} → schema → references → Config
 *
 * A file is taken whole or refused whole, and then with every problem that it has.
 */
export type LoadOutcome =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Sorted by line. */
      readonly warnings: readonly Diagnostic[];
      /** Of the file, for rendering diagnostics that come later. */
      readonly text: string;
      /** SHA-256 of the text, hex. */
      readonly hash: string;
    }
  | {
      readonly ok: false;
      /** Errors and warnings, sorted by line. */
      readonly diagnostics: readonly Diagnostic[];
      readonly text: string;
    };

export interface LoadOptions {
  readonly env: Environment;
  /** What `workers: auto` stands for. */
  readonly cores: number;
  /** Modules inside the executable: path by name. */
  readonly bundledPlugins?: ReadonlyMap<string, string> | undefined;
}

/** @param file as the user names it: diagnostics show it so, `config.file` is absolute */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadOutcome> {
  const read = await readText(file);
  if (typeof read !== "string") return read;
  return parseConfig(read, { ...options, file, pluginFiles: FILES_ON_DISK });
}

/**
 * The same without touching the disk: everything that it depends on is handed over.
 * @param text of the file, without a byte order mark
 */
export function parseConfig(
  text: string,
  options: LoadOptions & { readonly file: string; readonly pluginFiles: PluginFiles },
): LoadOutcome {
  const findings = new Findings(new SourceText(options.file, text));
  const tree = readDocument(findings);
  if (tree === undefined) return { ok: false, diagnostics: findings.sorted(), text };
  const substituted = substituteEnvironment(tree, options.env, findings);
  const file = resolve(options.file);
  const config = buildConfig(substituted, { ...options, file }, findings);
  if (findings.failed) return { ok: false, diagnostics: findings.sorted(), text };
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  return { ok: true, config, warnings: findings.sorted(), text, hash };
}

async function readText(file: string): Promise<string | LoadOutcome> {
  const findings = new Findings(new SourceText(file, ""));
  const refused = (text: string): LoadOutcome => {
    return { ok: false, diagnostics: findings.sorted(), text };
  };
  let bytes: Uint8Array;
  try {
    const onDisk = Bun.file(file);
    // A folder or a device would be read for ever, or not at all.
    const stat = await onDisk.stat();
    if (!stat.isFile()) {
      findings.error("CONFIG_FILE_UNREADABLE", undefined, "cannot be read: it is not a file");
      return refused("");
    }
    if (stat.size > LIMITS.configBytesMax) {
      reportTooLarge(stat.size, findings);
      return refused("");
    }
    bytes = await onDisk.bytes();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const message = `cannot be read: ${missing ? "it does not exist" : messageOf(error)}`;
    findings.error("CONFIG_FILE_UNREADABLE", undefined, message);
    return refused("");
  }
  try {
    // The decoder takes a byte order mark off.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuseEncoding(file, bytes);
  }
}

function refuseEncoding(file: string, bytes: Uint8Array): LoadOutcome {
  const text = new TextDecoder().decode(bytes);
  const findings = new Findings(new SourceText(file, text));
  const at = text.indexOf("\ufffd");
  const isUtf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const hint = isUtf16 ? "it looks like UTF-16: save it as UTF-8" : undefined;
  const message = "these bytes are not UTF-8";
  findings.error("CONFIG_ENCODING", { start: at, end: at + 1 }, message, hint);
  return { ok: false, diagnostics: findings.sorted(), text };
}
