import { LIMITS } from "../../base/limits.ts";
import { ERRNO } from "./errno.ts";
import type { WasiHost } from "./wasi.ts";

/** An iovec: u32 pointer, u32 length. */
const IOVEC_BYTES = 8;
/** count; POSIX's IOV_MAX. */
const IOVECS_MAX = 1024;
const FDSTAT_BYTES = 24;
const FDSTAT_RIGHTS_OFFSET = 8;
const RIGHT_FD_WRITE = 64n;

const badDescriptor = (): number => ERRNO.badDescriptor;
const notImplemented = (): number => ERRNO.notImplemented;

/** Descriptors: 1 and 2 are log streams, there are no others. */
export function fdFunctions(host: WasiHost) {
  return {
    /**
     * Appends the iovecs' bytes to a log stream and writes how many they were. What is above
     * LIMITS.guestLogBytesMax in one call is counted as written and dropped.
     */
    fd_write(fd: number, iovecs: number, count: number, writtenPtr: number): number {
      if (fd !== 1 && fd !== 2) return ERRNO.badDescriptor;
      if (count >>> 0 > IOVECS_MAX) return ERRNO.invalid;
      const { memory } = host;
      // Both are checked before anything is printed.
      if (!memory.contains(writtenPtr, 4)) return ERRNO.fault;
      if (!memory.contains(iovecs, count * IOVEC_BYTES)) return ERRNO.fault;
      let written = 0;
      let text = "";
      for (let index = 0; index < count; index++) {
        const at = (iovecs >>> 0) + index * IOVEC_BYTES;
        const byteLength = memory.readU32(at + 4) ?? 0;
        const left = Math.max(0, LIMITS.guestLogBytesMax - written);
        const ptr = memory.readU32(at) ?? 0;
        if (!memory.contains(ptr, byteLength)) return ERRNO.fault;
        text += memory.utf8(ptr, Math.min(byteLength, left)) ?? "";
        written += byteLength;
      }
      if (text !== "") host.print(fd, text);
      memory.writeU32(writtenPtr, written);
      return ERRNO.success;
    },

    fd_close: (): number => ERRNO.success,
    fd_seek: (): number => ERRNO.success,

    /** A character-less stream without flags, with the one right to be written to. */
    fd_fdstat_get(fd: number, ptr: number): number {
      if (fd !== 1 && fd !== 2) return ERRNO.badDescriptor;
      const { memory } = host;
      if (!memory.write(ptr, new Uint8Array(FDSTAT_BYTES))) return ERRNO.fault;
      memory.writeU64((ptr >>> 0) + FDSTAT_RIGHTS_OFFSET, RIGHT_FD_WRITE);
      return ERRNO.success;
    },

    /** Where runtimes look for directories: a bad descriptor ends their search. */
    fd_prestat_get: badDescriptor,
    fd_filestat_get: badDescriptor,

    fd_read: notImplemented,
    fd_prestat_dir_name: notImplemented,
    fd_fdstat_set_flags: notImplemented,
    fd_advise: notImplemented,
    fd_allocate: notImplemented,
    fd_datasync: notImplemented,
    fd_fdstat_set_rights: notImplemented,
    fd_filestat_set_size: notImplemented,
    fd_filestat_set_times: notImplemented,
    fd_pread: notImplemented,
    fd_pwrite: notImplemented,
    fd_readdir: notImplemented,
    fd_renumber: notImplemented,
    fd_sync: notImplemented,
    fd_tell: notImplemented,
  };
}
