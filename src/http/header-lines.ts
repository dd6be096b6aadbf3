import type { HeaderName } from "./header-name.ts";

/** One line of a list. */
export class HeaderLine {
  readonly name: HeaderName;
  /** undefined: it stands in the source, and nobody has asked for it. */
  value: string | undefined;
  /** Of the line in the source, without its line end; -1: it does not stand there. */
  readonly start: number;
  readonly end: number;

  constructor(name: HeaderName, value: string | undefined, start: number, end: number) {
    this.name = name;
    this.value = value;
    this.start = start;
    this.end = end;
  }
}

/**
 * Lines as they are at one moment, which nobody changes any more. Lists that are made of them share
 * them until they are changed; what each of these lists is brought to by the same steps is made
 * once and kept:
 *
 *   received ──removeRoles(hop-by-hop)──▶ lines ──append(forwarded)──▶ lines ──▶ toText()
 *
 * One step of each kind is kept, the last: a gateway does the same to every message.
 */
export class HeaderLines {
  readonly lines: readonly HeaderLine[];
  readonly source: string;
  /** Bits of ROLE. */
  readonly roles: number;
  readonly isChecked: boolean;
  #rolesRemoved = 0;
  #rest: HeaderLines | undefined;
  #appended: HeaderLines | undefined;
  #sum: HeaderLines | undefined;
  #without = -1;
  #text = "";
  #byteLength = -1;

  constructor(lines: readonly HeaderLine[], source: string, roles: number, isChecked: boolean) {
    this.lines = lines;
    this.source = source;
    this.roles = roles;
    this.isChecked = isChecked;
  }

  /** Without the lines that have one of these roles. */
  removeRoles(roles: number): HeaderLines {
    if (this.#rest === undefined || this.#rolesRemoved !== roles) {
      this.#rest = withoutRoles(this, roles);
      this.#rolesRemoved = roles;
    }
    return this.#rest;
  }

  /** @param more without a source */
  append(more: HeaderLines): HeaderLines {
    if (this.#sum === undefined || this.#appended !== more) {
      const isChecked = this.isChecked && more.isChecked;
      const lines = [...this.lines, ...more.lines];
      this.#sum = new HeaderLines(lines, this.source, this.roles | more.roles, isChecked);
      this.#appended = more;
    }
    return this.#sum;
  }

  /** As HeaderList.byteLength. */
  get byteLength(): number {
    if (this.#byteLength < 0) this.#byteLength = byteLengthOf(this.lines);
    return this.#byteLength;
  }

  /** As HeaderList.toText(). */
  toText(without: number): string {
    if (this.#without !== without) {
      this.#text = textOf(this.lines, this.source, without);
      this.#without = without;
    }
    return this.#text;
  }
}

// A function of its own, since a closure costs whoever might make one.
function withoutRoles({ lines, source, isChecked }: HeaderLines, roles: number): HeaderLines {
  const kept = lines.filter((line) => (line.name.roles & roles) === 0);
  return new HeaderLines(kept, source, rolesOf(kept), isChecked);
}

/** @see HeaderList.byteLength */
export function byteLengthOf(lines: readonly HeaderLine[]): number {
  let total = 0;
  for (const { name, value, start, end } of lines) {
    const valueLength = value?.length ?? end - start - name.text.length - SEPARATOR_LENGTH;
    total += name.text.length + valueLength;
  }
  return total;
}

function rolesOf(lines: readonly HeaderLine[]): number {
  return lines.reduce((roles, line) => roles | line.name.roles, 0);
}

/** @see HeaderList.toText() */
export function textOf(lines: readonly HeaderLine[], source: string, without: number): string {
  let text = "";
  let runStart = -1;
  let runEnd = -1;
  for (const { name, value, start, end } of lines) {
    if ((name.roles & without) !== 0) continue;
    if (start >= 0 && start === runEnd + LINE_END_LENGTH && runStart >= 0) {
      runEnd = end;
      continue;
    }
    if (runStart >= 0) text += runOf(source, runStart, runEnd);
    runStart = start;
    runEnd = end;
    if (start < 0) text = `${text}${name.opening}${value}`;
  }
  return runStart < 0 ? text : text + runOf(source, runStart, runEnd);
}

/** Lines that follow each other in the source, with the line end before them. */
function runOf(source: string, start: number, end: number): string {
  const opening = start - LINE_END_LENGTH;
  // It is mostly there as well: one piece less for whoever writes the text.
  if (opening >= 0 && source.startsWith("\r\n", opening)) return source.slice(opening, end);
  return `\r\n${source.slice(start, end)}`;
}

/** Of ": ". */
export const SEPARATOR_LENGTH = 2;
/** Of CR LF. */
const LINE_END_LENGTH = 2;
