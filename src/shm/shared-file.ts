import type * as FileSystem from "node:fs";
import type * as System from "node:os";
import { toArrayBuffer } from "bun:ffi";
import {
  addressOf,
  type Address,
  type Libc,
  MAP_FAILED,
  MAP_SHARED,
  PROT_READ_WRITE,
} from "../base/libc.ts";

const MFD_CLOEXEC = 1;

/** fcntl(2): locks on bytes of a file. They belong to the process and end with it. */
const F_GETLK = 5;
const F_SETLK = 6;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;

/** fallocate(2): gives the memory of a stretch back, which holds zeros then. */
const PUNCH_HOLE_KEEP_SIZE = 3;

const NAME = new TextEncoder().encode("sluice-shared\0").buffer;

/**
 * A file in memory that a master and its workers have mapped. Locks on bytes behind its end tell
 * who is alive and who uses what: the kernel takes them back when a process has ended, and not
 * before its last thread has, so that a dead process cannot still write.
 *
 * The process must never close the file, nor a duplicate of it: that would end its locks.
 */
export class SharedFile {
  readonly fd: number;
  readonly #libc: Libc;
  /** A `struct flock`. */
  readonly #lock = new DataView(new ArrayBuffer(32));

  constructor(fd: number, libc: Libc) {
    this.fd = fd;
    this.#libc = libc;
  }

  /** Undefined where there can be none that every process could see. */
  static create(libc: Libc): SharedFile | undefined {
    const fd = createMemoryFile(libc) ?? createUnnamedFile();
    if (fd === undefined) return undefined;
    const file = new SharedFile(fd, libc);
    // A system without such locks cannot tell who is dead.
    return file.claim(PROBE) ? file : undefined;
  }

  /** @returns false when there is no room */
  grow(byteLength: number): boolean {
    return this.#libc.ftruncate(this.fd, byteLength) === 0;
  }

  /** The bytes as all processes see them, for as long as this process lives. */
  map(offset: number, byteLength: number): ArrayBuffer | undefined {
    const address = this.#libc.mmap(0, byteLength, PROT_READ_WRITE, MAP_SHARED, this.fd, offset);
    if (address === MAP_FAILED) return undefined;
    return toArrayBuffer(address, 0, byteLength);
  }

  /** @returns false when the memory cannot be given back */
  clear(offset: number, byteLength: number): boolean {
    return this.#libc.fallocate(this.fd, PUNCH_HOLE_KEEP_SIZE, offset, byteLength) === 0;
  }

  /** Takes that number for this process alone. @returns false when another one has it */
  claim(mark: number): boolean {
    return this.#fcntl(F_SETLK, F_WRLCK, mark);
  }

  /** Others may hold it as well, until nobody does. */
  hold(mark: number): boolean {
    return this.#fcntl(F_SETLK, F_RDLCK, mark);
  }

  unhold(mark: number): void {
    this.#fcntl(F_SETLK, F_UNLCK, mark);
  }

  /** Whether another process has claimed or holds it. True also when that cannot be learned. */
  isHeldElsewhere(mark: number): boolean {
    return !this.#fcntl(F_GETLK, F_WRLCK, mark) || this.#lock.getInt16(0, true) !== F_UNLCK;
  }

  /** The layout is that of 64-bit Linux: type, whence, start, length, process. */
  #fcntl(command: number, type: number, mark: number): boolean {
    this.#lock.setInt16(0, type, true);
    this.#lock.setInt16(2, 0, true);
    this.#lock.setBigInt64(8, BigInt(MARKS_AT + mark), true);
    this.#lock.setBigInt64(16, 1n, true);
    this.#lock.setInt32(24, 0, true);
    const address = addressOf(this.#lock.buffer) ?? 0;
    return this.#libc.fcntl(this.fd, command, address) === 0;
  }
}

/** Far behind the end of any such file. */
const MARKS_AT = 2 ** 50;
const PROBE = 2 ** 40;

/** @returns a descriptor; undefined where the kernel has no such files (before 3.17) */
function createMemoryFile(libc: Libc): number | undefined {
  const name: Address = addressOf(NAME) ?? 0;
  const fd = libc.memfd_create(name, MFD_CLOEXEC);
  return fd < 0 ? undefined : fd;
}

/** In the folder for temporary files, without a name as soon as it is open. */
export function createUnnamedFile(folder: string = temporaryFolder()): number | undefined {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  const { closeSync, openSync, unlinkSync } = require("node:fs") as typeof FileSystem;
  const path = `${folder}/sluice-shared-${process.pid}-${crypto.randomUUID()}`;
  let fd: number;
  try {
    fd = openSync(path, "wx+", 0o600);
  } catch {
    return undefined;
  }
  try {
    unlinkSync(path);
    return fd;
  } catch {
    closeSync(fd);
    return undefined;
  }
}

function temporaryFolder(): string {
  // eslint-disable-next-line typescript/no-require-imports -- as above
  return (require("node:os") as typeof System).tmpdir();
}
