import { Board, WORD } from "./board.ts";
import { readClockMs } from "./cpu-clock.ts";
import { shutPage } from "./page-access.ts";
import { Watcher } from "./watcher.ts";

/** The one message that the second thread is sent. */
export interface WatchOrder {
  readonly board: SharedArrayBuffer;
  /** Of the thread to watch, for readClockMs(); undefined: only time on the wall counts. */
  readonly cpuClock: number | undefined;
}

/** Where the second thread starts; compile.sh names this file as an entry of its own. */
addEventListener("message", ({ data }: MessageEvent<WatchOrder>) => {
  const board = new Board(data.board);
  const { cpuClock } = data;
  const watcher = new Watcher(board, {
    nowMs,
    usedMs: cpuClock === undefined ? nowMs : () => readClockMs(cpuClock),
    shut: shutPage,
    wait: (bell, timeoutMs) => void Atomics.wait(board.words, WORD.bell, bell, timeoutMs),
  });
  postMessage("watching");
  watcher.run();
});

function nowMs(): number {
  return performance.now();
}
