/** One of those that may lead, as much of it as is needed here. */
export interface Candidate {
  /** False once it has ended; it may do so before it joins. */
  readonly alive: boolean;
  lead(isLeader: boolean): void;
}

/**
 * Which worker is the leader: always one of those that serve, as long as there is one, and the same
 * as long as it serves. Who leads no more is told first: both lead for as long as a message takes.
 */
export class Leadership<C extends Candidate> {
  readonly #candidates = new Set<C>();
  #leader: C | undefined;

  get leader(): C | undefined {
    return this.#leader;
  }

  /** These serve; known ones and new ones. */
  elect(candidates: Iterable<C>): void {
    for (const candidate of candidates) this.join(candidate);
  }

  join(candidate: C): void {
    if (!candidate.alive) return; // It has left already.
    this.#candidates.add(candidate);
    this.#choose();
  }

  /** It has ended, or serves only what it has. */
  leave(candidate: C): void {
    this.#candidates.delete(candidate);
    if (this.#leader !== candidate) return;
    this.#leader = undefined;
    candidate.lead(false);
    this.#choose();
  }

  #choose(): void {
    if (this.#leader !== undefined) return;
    [this.#leader] = this.#candidates;
    this.#leader?.lead(true);
  }
}
