import type * as FileSystem from "node:fs";
import type * as System from "node:os";
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
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  const { tmpdir } = require("node:os") as typeof System;
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
  // eslint-disable-next-line typescript/no-require-imports -- as above
  const { closeSync, constants, ftruncateSync, openSync } = require("node:fs") as typeof FileSystem;
  const descriptor = openSync(folder, UNNAMED | constants.O_RDWR, 0o600);
  try {
    ftruncateSync(descriptor, LIMITS.httpbinStreamBytesMax);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
