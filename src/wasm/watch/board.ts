/**
 * What the main thread and the watch tell each other: words in shared memory, no messages.
 *
 *   byte  0       4      8           12     16           24            32
 *         ├ state ┼ bell ┼ ringBelow ┼ stop ┼ deadlineMs ┼ pageAddress ┼ ticksMs ┤
 *          i32     i32    i32         i32    f64          f64           f64
 *
 * `state` is a call's number and its phase. Everything that can race goes through this word, so
 * that a watch that comes late never shuts the page of the next call:
 *
 *               enter()         time is up             the page is shut
 *   IDLE(n-1) ─────────▶ RUNNING(n) ─────────▶ FIRING(n) ─────────▶ FIRED(n)
 *                          │    ▲                 │                    │
 *                  leave() │    └─────────────────┘                    │ leave(): the page is
 *                          ▼      it cannot be shut: again             ▼ open again
 *                        IDLE(n)                                     IDLE(n)
 *
 * RUNNING → IDLE (main thread) and RUNNING → FIRING (watch) are compare-and-exchange, so exactly
 * one of them happens. While FIRING the watch alone may write, in every other phase only the main
 * thread. `deadlineMs` and `pageAddress` are written before RUNNING(n) and stay until IDLE(n).
 *
 * `bell` is what the watch waits on: it is counted up to wake it. Before each wait the watch says
 * in `ringBelow` for which deadlines it would come too late. Both sides write one word and then
 * read the other's, so at least one of them sees the other:
 *
 *   main thread   state = RUNNING(n); if (deadline < ringBelow) { bell++; wake }
 *   watch         b = bell; ringBelow = …; look at state (twice); wait while bell == b
 *
 * If the main thread has read the new `ringBelow` it rings, and the watch's wait ends or does not
 * even begin. If it has read the old one, it has written RUNNING(n) before; its processor may not
 * have shown that to others yet, since a store that waits for it is what enter() cannot afford.
 * So before the wait that only the bell ends, the watch looks twice. Before any other wait it does
 * not: missing that one call costs it a nap.
 */
export const WORD = { state: 0, bell: 1, ringBelow: 2, stop: 3 } as const;
export const SLOT = { deadlineMs: 2, pageAddress: 3, ticksMs: 4 } as const;

const BOARD_BYTES = 40;

/** The two low bits of `state`. */
export const PHASE = { idle: 0, running: 1, firing: 2, fired: 3 } as const;
export const PHASE_MASK = 3;
/** What a call adds to `state`; its number wraps after 2^30 calls. */
export const CALL = 4;

/** `ringBelow` of a watch that sleeps until somebody rings. */
export const RING_ALWAYS = 0x7fff_ffff;

export class Board {
  readonly buffer: SharedArrayBuffer;
  /** Indexed by WORD. */
  readonly words: Int32Array;
  /** Indexed by SLOT. */
  readonly slots: Float64Array;

  /** @param buffer the other thread's; left out: a new one */
  constructor(buffer = new SharedArrayBuffer(BOARD_BYTES)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.slots = new Float64Array(buffer);
  }

  /** Wakes the watch, or keeps it from falling asleep. */
  ring(): void {
    Atomics.add(this.words, WORD.bell, 1);
    Atomics.notify(this.words, WORD.bell);
  }
}
