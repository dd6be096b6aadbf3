import { LIMITS } from "../base/limits.ts";
import { createLentFile, StoreLender } from "./store-lender.ts";
import { type WorkerCommand, WorkerProcess } from "./worker-process.ts";

/**
 * Starts worker processes. Apart from Workers, which has them serve, because it is the first thing
 * that the gateway does: what this file needs is loaded before anything runs beside it.
 */
export class WorkerStarter {
  readonly command: WorkerCommand;
  readonly lender = new StoreLender(createLentFile());
  /** A worker has something in a queue for another one, which is known by its serial number. */
  onWake: (serial: number, queueId: number) => void = () => {};

  constructor(command: WorkerCommand) {
    this.command = command;
  }

  start(): WorkerProcess {
    const { file } = this.lender;
    const wake = (serial: number, queueId: number): void => this.onWake(serial, queueId);
    return new WorkerProcess(this.command, { file, serial: this.lender.takeSerial(), wake });
  }

  /**
   * Processes for a configuration that has not been read yet, one for each core but that of the
   * master, which reads it.
   */
  startAhead(): WorkerProcess[] {
    const others = Math.max(1, navigator.hardwareConcurrency - 1);
    return Array.from({ length: Math.min(others, LIMITS.workersAheadMax) }, () => this.start());
  }
}
