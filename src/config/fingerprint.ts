import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** ms; a file that has changed more recently may change once more without its times telling so. */
const SETTLED_MS = 50;

/**
 * What `stat` tells about a file: cheap to ask for, and different after every change but one within
 * the same tick of the file system's clock. Symbolic links are followed, so a swapped one shows.
 */
export interface Fingerprint {
  /** "absent" for a file that cannot be read. */
  readonly text: string;
  /** False when a second change could still look the same. */
  readonly isSettled: boolean;
}

export const ABSENT: Fingerprint = { text: "absent", isSettled: true };

export function fingerprintOf(path: string, nowMs: number = Date.now()): Fingerprint {
  try {
    const stat = statSync(path, { bigint: true });
    const changedMs = Number(
      (stat.ctimeNs > stat.mtimeNs ? stat.ctimeNs : stat.mtimeNs) / 1_000_000n,
    );
    return {
      text: [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(":"),
      isSettled: nowMs - changedMs > SETTLED_MS,
    };
  } catch {
    return ABSENT;
  }
}

/** SHA-256 of a file's content; "absent" for a file that cannot be read. */
export async function contentHash(path: string): Promise<string> {
  try {
    return new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex");
  } catch {
    return ABSENT.text;
  }
}

/** The modules of a folder, hidden ones left out; none when it cannot be read. */
export function modulesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".wasm") && !name.startsWith("."))
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}
