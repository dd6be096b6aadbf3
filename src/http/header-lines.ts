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
 * One step of each kind is kept, the last: a gateway does the same to every message, and so do most
 * filters.
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
  /** The last line that was added. */
  #line: HeaderLine | undefined;
  #longer: HeaderLines | undefined;
  /** How many lines were added one by one to make these. */
  readonly #added: number;
  #without = -1;
  #text = "";
  #byteLength = -1;

  constructor(
    lines: readonly HeaderLine[],
    source: string,
    roles: number,
    isChecked: boolean,
    added = 0,
  ) {
    this.lines = lines;
    this.source = source;
    this.roles = roles;
    this.isChecked = isChecked;
    this.#added = added;
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

  /**
   * With one line more, which is checked.
   * @returns undefined when the last line added was another one: a line that does not repeat is not
   *   worth what keeping these costs
   */
  appendLine(name: HeaderName, value: string): HeaderLines | undefined {
    const line = this.#line;
    if (line?.name === name && line.value === value) return (this.#longer ??= this.#withLine());
    const isKept = this.#added < LINES_ADDED_MAX && value.length <= ADDED_VALUE_LENGTH_MAX;
    this.#line = isKept ? new HeaderLine(name, value, -1, -1) : undefined;
    this.#longer = undefined;
    return undefined;
  }

  /**
   * The same for a line of which nobody knows yet whether it is one.
   * @returns undefined also when its name has a ROLE: somebody may have to look at it
   */
  appendAgain(name: string, value: string): HeaderLines | undefined {
    const line = this.#line;
    if (line === undefined || line.value !== value || line.name.text !== name) return undefined;
    return line.name.roles === 0 ? (this.#longer ??= this.#withLine()) : undefined;
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

  #withLine(): HeaderLines {
    const line = this.#line as HeaderLine;
    const roles = this.roles | line.name.roles;
    const lines = [...this.lines, line];
    return new HeaderLines(lines, this.source, roles, this.isChecked, this.#added + 1);
  }
}

/** count; what is kept for each head that is kept shall stay small, whatever filters add to it. */
const LINES_ADDED_MAX = 16;
/** chars; longer values hardly repeat. */
const ADDED_VALUE_LENGTH_MAX = 256;

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
