import { callback, type CallbackName } from "../guest.ts";

/** A guest that must never start: refused by `validate`, and as a reload. */
export interface RefusedGuest {
  readonly name: string;
  readonly wat: string;
  /** In the refusal, as a regular expression. */
  readonly says: string;
  /** Refused by what it is, before anything of it runs. */
  readonly refusedUnstarted?: true;
}

/** Each step of its start gets 10 ms in the test. */
const TOO_LONG = "used up its time: 10 ms .limits.start.";
const EMPTY = "(loop $l (br $l))";
const NESTED = "(loop $l (loop $m (br $m)) (br $l))";
const exported = (name: string, body: string): string =>
  `(func (export "${name}") (local $i i32) ${body})`;

/** Each place of the start, in its order. */
const PLACES: Readonly<Record<string, (body: string) => string>> = {
  "the start section": (body) => `(func $s (local $i i32) ${body}) (start $s)`,
  _initialize: (body) => exported("_initialize", body),
  main: (body) =>
    `${exported("_initialize", "")} (func (export "main") (param i32 i32) (result i32) ${body} #0)`,
  _start: (body) => exported("_start", body),
  proxy_on_context_create: (body) => callback("context_create", body),
  proxy_on_vm_start: (body) => callback("vm_start", body),
  proxy_on_configure: (body) => callback("configure", body),
};

const kinds: Readonly<Record<string, { body: string; more?: string; says: string }>> = {
  loop: { body: EMPTY, says: TOO_LONG },
  "nested loop": { body: NESTED, says: TOO_LONG },
  recursion: {
    body: "(drop (call $deep #1))",
    more: "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) #1))",
    says: `stack overflow|${TOO_LONG}`,
  },
  trap: { body: "unreachable", says: "trap" },
  throw: { body: "(throw $e)", more: "(tag $e)", says: "exception" },
  exit: { body: "(call $proc_exit #3)", says: "code 3" },
};

function refuses(name: CallbackName): RefusedGuest {
  return { name: `${name} answers no`, wat: callback(name, "", 0), says: "answered false" };
}

export const REFUSED: readonly RefusedGuest[] = [
  ...Object.entries(PLACES).flatMap(([place, at]) =>
    Object.entries(kinds).map(([kind, { body, more = "", says }]) => ({
      name: `${kind} in ${place}`,
      wat: at(body) + more,
      says,
    })),
  ),
  refuses("vm_start"),
  refuses("configure"),
  {
    name: "a flood of host calls in proxy_on_configure",
    wat: callback("configure", "(loop $l (drop (call $proxy_log #4 #0 #1024)) (br $l))"),
    says: TOO_LONG,
  },
  {
    name: "a memory of 65536 pages",
    wat: '(memory (export "memory") 65536)',
    says: "pages",
    refusedUnstarted: true,
  },
  {
    name: "a table of ten million entries",
    wat: "(table 10000000 funcref)",
    says: "table",
    refusedUnstarted: true,
  },
];
