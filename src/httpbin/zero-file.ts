import { closeSync, constants, ftruncateSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { LIMITS } from "../base/limits.ts";
import { messageOf } from "../base/errors.ts";
import { Refusal } from "./reply.ts";

/**
 * A file of zeros as long as the longest answer, without a name and without blocks on the disk.
 *
 * Why a file: the server sends a Content-Length only for bodies that it has whole in memory or in a
 * file; every stream is chunked. Why by its /proc path: for a descriptor it ignores slice().
 */
let path: string | undefined;

/** Linux's O_TMPFILE: a file without a name, gone when it is closed. */
const UNNAMED = 0o20200000;

/** @throws Refusal 503 when there is no folder to make the file in */
export function zeros(length: number): Blob {
  path ??= createZeroFile();
  return Bun.file(path).slice(0, length);
}

function createZeroFile(): string {
  const failures: string[] = [];
  for (const folder of [tmpdir(), "/dev/shm", "."]) {
    try {
      return `/proc/self/fd/${createUnnamed(folder)}`;
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new Refusal(503, `Cannot make a file for a body of known length: ${failures.join("; ")}`);
}

function createUnnamed(folder: string): number {
  const descriptor = openSync(folder, UNNAMED | constants.O_RDWR, 0o600);
  try {
    ftruncateSync(descriptor, LIMITS.httpbinStreamBytesMax);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
