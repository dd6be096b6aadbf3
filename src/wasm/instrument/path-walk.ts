import { LIMITS } from "../../base/limits.ts";
import type { Records } from "./records.ts";
import { CHECKED, EVENT, KIND_BITS, KIND_MASK, TARGETED } from "./trace.ts";

/** units; a heavier arm has a check of its own, so that other paths need not pay for it. */
export const ARM_WEIGHT = 128;
/**
 * units; a path that is longer is split at the next place. With what lies between two places, a
 * piece of 128 and a call of 4 + 128, no check charges more than 1,024.
 */
const SPLIT_WEIGHT = 1024 - 128 - 132;

const FLAG = { loop: 1, withoutElse: 2, catches: 4 } as const;

/** What is open at once: the function, its blocks, and up to two checks in each. */
const FRAMES = LIMITS.moduleDepthMax + 2;
const SCOPES = 2 * FRAMES;

/** In place of a site: the check at a function's entry. */
const ENTRY = -1;
/** In place of a site, minus the event: an arm that gets a check if it turns out heavy. */
const ARM = -2;

/**
 * Walks through the events of one function and measures paths.
 *
 * A *scope* is what one check pays for: from its place to the end of the block around it. Inside
 * of it `#current` is the weight of the heaviest path to here, each label remembers the heaviest
 * path that leads to it, and where an inner scope ends the outer one goes on with what it had when
 * the inner one began. The heaviest path that a scope has seen is what its check charges.
 */
export class PathWalk {
  readonly #events: Records;
  readonly #sites: Records;
  /** By function, imported ones first: units that a call costs beside the calling. */
  readonly #costs: Int32Array;
  #deciding = false;
  /** Whether the function has handlers of exceptions: only they ask for peaks. */
  catches = false;
  /** Weight of the heaviest path to here in the innermost scope; -1: control does not get here. */
  #current = 0;

  #frames = 0;
  readonly #flags = new Uint8Array(FRAMES);
  /** Scopes that were open when the block began. All its weights are in terms of the last one. */
  readonly #outer = new Int32Array(FRAMES);
  readonly #start = new Int32Array(FRAMES);
  /** Heaviest path that branches to its end, -1 for none. */
  readonly #label = new Int32Array(FRAMES);
  /** Heaviest path to anywhere inside. */
  readonly #peak = new Int32Array(FRAMES);
  /** The scope of the arm that is open in it, -1 for none. */
  readonly #arm = new Int32Array(FRAMES);

  #scopes = 0;
  readonly #site = new Int32Array(SCOPES);
  /** What the outer scope had when it began. */
  readonly #entry = new Int32Array(SCOPES);
  readonly #heaviest = new Int32Array(SCOPES);
  #entryWeight = 0;

  constructor(events: Records, sites: Records, costs: Int32Array) {
    this.#events = events;
    this.#sites = sites;
    this.#costs = costs;
  }

  /** Marks the arms that are heavy enough for a check. */
  decide(first: number, end: number): void {
    this.#deciding = true;
    this.#walk(first, end);
  }

  /** Adds the sites. @returns units that the part before the first check costs, at most 1,024 */
  place(first: number, end: number): number {
    this.#deciding = false;
    this.#walk(first, end);
    return this.#entryWeight;
  }

  #walk(first: number, end: number): void {
    const { fields } = this.#events;
    this.#frames = 0;
    this.#scopes = 0;
    this.#current = 0;
    this.#openScope(ENTRY);
    this.#openFrame(0);
    for (let event = first; event < end; event++) {
      const word = fields[3 * event] as number;
      if (this.#current >= 0) this.#add(fields[3 * event + 1] as number);
      this.#step(event, word & KIND_MASK, (word & ~CHECKED) >> KIND_BITS);
    }
    this.#close(0);
  }

  #step(event: number, kind: number, operand: number): void {
    switch (kind) {
      case EVENT.run:
        this.#split(event);
        return;
      case EVENT.call:
        this.#split(event);
        this.#add(this.#costs[operand] as number);
        return;
      case EVENT.callIndirect:
        this.#split(event);
        return;
      case EVENT.branch:
        this.#split(event);
        this.#branch(this.#frames - 1 - operand);
        return;
      case EVENT.catchTo:
        this.#flags[this.#frames - 1 - operand] =
          (this.#flags[this.#frames - 1 - operand] as number) | FLAG.catches;
        return;
      case EVENT.stop:
        this.#current = -1;
        return;
      case EVENT.loop:
        this.#openFrame(FLAG.loop);
        this.#openScope(this.#deciding ? ENTRY : this.#newSite(event));
        return;
      default:
        this.#stepBlock(event, kind, operand);
        // The place is behind the instruction: inside of the block, or behind its end.
        this.#split(event);
    }
  }

  #stepBlock(event: number, kind: number, operand: number): void {
    const frame = this.#frames - 1;
    switch (kind) {
      case EVENT.block:
        this.#openFrame(0);
        return;
      case EVENT.if:
        this.#openFrame(FLAG.withoutElse);
        this.#openArm(event);
        return;
      case EVENT.else:
        this.#endPart(frame);
        this.#flags[frame] = (this.#flags[frame] as number) & ~FLAG.withoutElse;
        this.#current = this.#start[frame] as number;
        this.#openArm(event);
        return;
      case EVENT.catch:
        this.#endPart(frame);
        this.#current = this.#peak[frame] as number;
        this.#openArm(event);
        return;
      case EVENT.end:
        this.#endFrame(event, operand);
        return;
      default:
        throw new RangeError(`Cannot plan checks: event ${kind} is not known`);
    }
  }

  #openFrame(flags: number): void {
    const frame = this.#frames++;
    this.#flags[frame] = flags;
    this.#outer[frame] = this.#scopes;
    this.#start[frame] = this.#current;
    this.#peak[frame] = this.#current;
    this.#label[frame] = -1;
    this.#arm[frame] = -1;
  }

  /** The weight here in terms of the scope that the block began in. */
  #weightIn(frame: number): number {
    const outer = this.#outer[frame] as number;
    return this.#scopes > outer ? (this.#entry[outer] as number) : this.#current;
  }

  #branch(target: number): void {
    const back = ((this.#flags[target] as number) & FLAG.loop) !== 0;
    if (!back)
      this.#label[target] = Math.max(this.#label[target] as number, this.#weightIn(target));
  }

  /** Where an arm or a handler ends, control goes on behind the block. */
  #endPart(frame: number): void {
    this.#close(this.#outer[frame] as number);
    this.#label[frame] = Math.max(this.#label[frame] as number, this.#current);
    this.#arm[frame] = -1;
  }

  #endFrame(event: number, operand: number): void {
    const frame = this.#frames - 1;
    this.#close(this.#outer[frame] as number);
    this.#frames = frame;
    const flags = this.#flags[frame] as number;
    if ((flags & FLAG.loop) === 0) {
      let label = this.#label[frame] as number;
      if ((flags & FLAG.withoutElse) !== 0) label = Math.max(label, this.#start[frame] as number);
      if ((flags & FLAG.catches) !== 0) label = Math.max(label, this.#peak[frame] as number);
      this.#current = Math.max(label, this.#current);
    }
    // What nothing leads to is planned for like the rest, in case that this reasoning is wrong.
    if (this.#current < 0) this.#current = this.#start[frame] as number;
    if (frame === 0) return;
    if (this.catches) this.#raisePeak(frame - 1, frame);
    if (operand === TARGETED && (flags & FLAG.loop) === 0) this.#openArm(event);
  }

  #raisePeak(parent: number, child: number): void {
    const outer = this.#outer[parent] as number;
    const peak = this.#scopes > outer ? this.#entry[outer] : this.#peak[child];
    this.#peak[parent] = Math.max(this.#peak[parent] as number, peak as number);
  }

  #add(weight: number): void {
    this.#current += weight;
    const scope = this.#scopes - 1;
    this.#heaviest[scope] = Math.max(this.#heaviest[scope] as number, this.#current);
    if (!this.catches) return;
    const frame = this.#frames - 1;
    this.#peak[frame] = Math.max(this.#peak[frame] as number, this.#weightIn(frame));
  }

  #openScope(site: number): void {
    const scope = this.#scopes++;
    this.#site[scope] = site;
    this.#entry[scope] = this.#current;
    this.#heaviest[scope] = 0;
    this.#current = 0;
  }

  /** Begins an arm: code that other paths do not run through. It ends where the next one begins. */
  #openArm(event: number): void {
    const frame = this.#frames - 1;
    const open = this.#arm[frame] as number;
    if (open >= 0) this.#close(open);
    this.#arm[frame] = -1;
    const isChecked = ((this.#events.fields[3 * event] as number) & CHECKED) !== 0;
    if (!this.#deciding && !isChecked) return;
    this.#arm[frame] = this.#scopes;
    this.#openScope(this.#deciding ? ARM - event : this.#newSite(event));
  }

  #newSite(event: number): number {
    this.#sites.push(this.#events.fields[3 * event + 2] as number, 0, 0);
    return this.#sites.length - 1;
  }

  /** Ends the innermost scope of this block, or interrupts an outer one, when a path gets long. */
  #split(event: number): void {
    // Behind the last end there is no code.
    if (this.#deciding || this.#current <= SPLIT_WEIGHT || this.#frames === 0) return;
    const frame = this.#frames - 1;
    if (this.#scopes > (this.#outer[frame] as number)) this.#close(this.#scopes - 1);
    this.#openScope(this.#newSite(event));
  }

  /** Ends scopes until only `left` are open. */
  #close(left: number): void {
    while (this.#scopes > left) {
      const scope = --this.#scopes;
      const site = this.#site[scope] as number;
      const entry = this.#entry[scope] as number;
      const heaviest = this.#heaviest[scope] as number;
      if (site > ARM) this.#closeCheck(site, heaviest);
      else if (this.#closeArm(ARM - site, entry, heaviest)) continue;
      if (this.#current >= 0) this.#current = entry;
    }
  }

  #closeCheck(site: number, heaviest: number): void {
    if (site === ENTRY) this.#entryWeight = heaviest;
    else this.#sites.fields[3 * site + 1] = Math.max(heaviest, 1);
  }

  /** @returns true when the arm is light and becomes a part of the scope around it */
  #closeArm(event: number, entry: number, heaviest: number): boolean {
    const { fields } = this.#events;
    if (heaviest > ARM_WEIGHT) {
      fields[3 * event] = (fields[3 * event] as number) | CHECKED;
      return false;
    }
    const outer = this.#scopes - 1;
    this.#heaviest[outer] = Math.max(this.#heaviest[outer] as number, entry + heaviest);
    if (this.#current >= 0) this.#current += entry;
    return true;
  }
}
