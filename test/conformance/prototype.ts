import type { Case } from "./case.ts";
import { type Arg, type Call, end, MAX } from "./probe.ts";

/** Addresses and lengths that do not lie within memory: the sums of some wrap around. */
const BAD_WINDOWS: readonly (readonly [Arg, Arg])[] = [
  [end(), 1],
  [end(1), 2],
  [0, MAX],
  [1024, MAX - 1023],
  [MAX, 1],
  [MAX, MAX],
  [0x8000_0000, 0x8000_0000],
];

/** Addresses to which nothing can be written. */
const BAD_POINTERS: readonly Arg[] = [end(3), end(), 0x8000_0000, MAX - 3, MAX];

export type Fields = Readonly<Record<string, readonly [arg: Arg | readonly Arg[], shown?: string]>>;

/**
 * A call that works, from which others are made by changing some of its arguments.
 *
 *   new Prototype("proxy_log", { level: [2, "info"], message: [text("hi"), '"hi"'] })
 *
 * A field without a shown value is not in the transcript, as out-pointers are not.
 */
export class Prototype {
  readonly name: string;
  readonly #fields: Fields;
  readonly #refusal: string;

  /** @param name may have the module before it: "wasi_unstable:fd_write" */
  constructor(name: string, fields: Fields, refusal = "InvalidMemoryAccess") {
    this.name = name;
    this.#fields = fields;
    this.#refusal = refusal;
  }

  get bareName(): string {
    return this.name.split(":").at(-1) ?? "";
  }

  call(changes: Readonly<Record<string, Arg | readonly Arg[]>> = {}): Call {
    this.#check(changes);
    const args = Object.entries(this.#fields).flatMap(([name, [arg]]) => changes[name] ?? arg);
    return [this.name, ...args];
  }

  /** The line of the transcript. @param result "Ok -> token=1"; "" for a function without one */
  line(result: string, changes: Readonly<Record<string, string>> = {}): string {
    this.#check(changes);
    const shown = Object.entries(this.#fields)
      .map(([name, [, value]]) => [name, changes[name] ?? value])
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`);
    const call = `${this.bareName}(${shown.join(", ")})`;
    return result === "" ? call : `${call} = ${result}`;
  }

  /** Each text in turn lies beyond memory, and each out-pointer leads there. */
  hostile(changes: Readonly<Record<string, Arg>> = {}): { calls: Call[]; lines: string[] } {
    const calls: Call[] = [];
    const lines: string[] = [];
    for (const [name, [given]] of Object.entries(this.#fields)) {
      const arg = changes[name] ?? given;
      if (typeof arg !== "object") continue;
      const isText = "bytes" in arg;
      if (!isText && !("out" in arg)) continue;
      for (const bad of isText ? BAD_WINDOWS : BAD_POINTERS) {
        calls.push(this.call({ ...changes, [name]: bad }));
        lines.push(this.line(this.#refusal, isText ? { [name]: "beyond-memory" } : undefined));
      }
    }
    return { calls, lines };
  }

  hostileCase(run: Case["run"] = {}): Case {
    const { calls, lines } = this.hostile();
    return {
      name: `${this.bareName}() refuses addresses and lengths that are not within memory`,
      guest: { on: { proxy_on_request_headers: { calls } } },
      run,
      lines,
    };
  }

  #check(changes: Readonly<Record<string, unknown>>): void {
    const unknown = Object.keys(changes).find((name) => !Object.hasOwn(this.#fields, name));
    if (unknown !== undefined) throw new RangeError(`Cannot find the field "${unknown}"`);
  }
}
