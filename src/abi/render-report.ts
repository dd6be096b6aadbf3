import { LIMITS } from "../base/limits.ts";
import type { ModuleReport } from "./inspect.ts";
import { WASI_MODULES } from "./wasi/signatures.ts";

/** What `sluice inspect` prints; names come from the file and are made printable. */
export function renderReport(report: ModuleReport): string {
  const host = report.imports.filter((each) => !WASI_MODULES.includes(each.module));
  const wasi = report.imports.filter((each) => WASI_MODULES.includes(each.module));
  const lines = [
    row("size", `${report.byteLength} bytes`),
    row("abi", report.abi),
    row("memory", memory(report)),
    ...sandbox(report),
    ...features(report),
    ...list("callbacks", report.callbacks),
    ...list(
      "host functions",
      host.map((each) => (each.module === "env" ? each.name : `${each.module}.${each.name}`)),
    ),
    ...list(
      "wasi functions",
      wasi.map((each) => `${each.module}.${each.name}`),
    ),
    ...list(
      "problems",
      report.problems.map(({ code, message }) => `${message} [${code}]`),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** Whether `instances: per_request` and recovery after a trap are cheap. */
function sandbox({ obstacles }: ModuleReport): string[] {
  if (obstacles === undefined) return [];
  if (obstacles.length === 0) return [row("sandbox", "put back to its image after an exchange")];
  return list("sandbox: started anew in place of being put back to its image", obstacles);
}

/** What an http-wasm module can enable, and whether its exchanges wait for bodies. */
function features({ abi, imports }: ModuleReport): string[] {
  if (abi !== "http-wasm") return [];
  const names = new Set(imports.map((each) => each.name));
  const enables = names.has("enable_features");
  const reads = names.has("read_body");
  return [
    row("features", enables ? "may enable buffer_request, buffer_response, trailers" : "none"),
    row("bodies", reads ? "waits for the whole request: it imports read_body" : "pass untouched"),
  ];
}

function memory({ pages }: ModuleReport): string {
  if (pages === undefined) return "none";
  const max = pages.max === undefined ? "no maximum" : `at most ${pages.max}`;
  return `${pages.min} pages of 64 KiB, ${max}`;
}

function row(label: string, value: string): string {
  return `${`${label}:`.padEnd(16)}${value}`;
}

/** A hostile module can have 65,536 imports with long names; nobody reads that many. */
const ENTRIES_MAX = 200;

function list(label: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [row(label, "none")];
  const shown = entries.slice(0, ENTRIES_MAX).map((entry) => `  ${printable(entry)}`);
  const more = entries.length - shown.length;
  return [`${label}:`, ...shown, ...(more > 0 ? [`  … and ${more} more`] : [])];
}

/** Control characters could steer the terminal. */
function printable(text: string): string {
  const cut = text.slice(0, LIMITS.guestLogBytesMax);
  return cut.replace(/[\p{Cc}\p{Cf}]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
