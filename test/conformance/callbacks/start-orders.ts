import { type Case, casesOf } from "../case.ts";
import { type Step, text } from "../probe.ts";

const say = (what: string): Step => ({ calls: [["proxy_log", 2, text(what)]] });
const SHOWS = ["callbacks", "log"];
/** What every start ends with. */
const ROOT = {
  proxy_on_context_create: {},
  proxy_on_vm_start: {},
  proxy_on_configure: {},
} as const;
const STARTED = [
  "> proxy_on_context_create(context=1, parent=0)",
  "< proxy_on_context_create",
  "> proxy_on_vm_start(context=1, bytes=2)",
  "< proxy_on_vm_start = true",
  "> proxy_on_configure(context=1, bytes=3)",
  "< proxy_on_configure = true",
  "> proxy_on_context_create(context=2, parent=1)",
  "< proxy_on_context_create",
];
const RUN = { vmConfig: "vm", config: "abc" };

const order = (name: string, on: Record<string, Step>, lines: string[], section?: Step): Case => ({
  name,
  guest: { on: { ...on, ...ROOT }, ...(section === undefined ? {} : { startSection: section }) },
  run: RUN,
  shows: SHOWS,
  lines: [...lines, ...STARTED],
});

const refusal = (name: string, on: Record<string, Step>, lines: string[]): Case => ({
  name: `refused: ${name}`,
  guest: { on },
  shows: ["callbacks", "client"],
  lines,
});

const TRAP = "Unreachable code should not be executed";

export const conformance = casesOf("orders of a start", [
  order("without anything to start", {}, []),
  order(
    "the start section, _initialize, then main",
    { _initialize: say("_initialize"), main: say("main") },
    [
      "log info: section",
      "> _initialize()",
      "log info: _initialize",
      "< _initialize",
      "> main()",
      "log info: main",
      "< main = 0",
    ],
    say("section"),
  ),
  order(
    "_initialize, then __main_void where there is no main",
    {
      _initialize: {},
      __main_void: {},
    },
    ["> _initialize()", "< _initialize", "> __main_void()", "< __main_void = 0"],
  ),
  order("main before __main_void", { _initialize: {}, __main_void: {}, main: {} }, [
    "> _initialize()",
    "< _initialize",
    "> main()",
    "< main = 0",
  ]),
  order("no main without _initialize", { main: {} }, []),
  order("_start of a command, which is kept when it has returned", { _start: say("_start") }, [
    "> _start()",
    "log info: _start",
    "< _start",
  ]),
  order("not _start where there is _initialize", { _initialize: {}, _start: {} }, [
    "> _initialize()",
    "< _initialize",
  ]),
  order("_start that ends with exit code 0", { _start: { calls: [["proc_exit", 0]] } }, [
    "> _start()",
    "< _start",
  ]),
  refusal("_start that ends with another exit code", { _start: { calls: [["proc_exit", 3]] } }, [
    "> _start()",
    "< _start failed: the guest exited with code 3",
    'refused: _start of plugin "plugin" failed: the guest exited with code 3',
  ]),
  refusal("a trap in _initialize", { _initialize: { traps: true } }, [
    "> _initialize()",
    `< _initialize failed: ${TRAP}`,
    `refused: _initialize of plugin "plugin" failed: trap: ${TRAP}`,
  ]),
  refusal("a trap in main", { _initialize: {}, main: { traps: true } }, [
    "> _initialize()",
    "< _initialize",
    "> main()",
    `< main failed: ${TRAP}`,
    `refused: main of plugin "plugin" failed: trap: ${TRAP}`,
  ]),
  refusal("a trap in the root's creation", { proxy_on_context_create: { traps: true } }, [
    "> proxy_on_context_create(context=1, parent=0)",
    `< proxy_on_context_create failed: ${TRAP}`,
    `refused: proxy_on_context_create of plugin "plugin" failed: trap: ${TRAP}`,
  ]),
  refusal(
    "proxy_on_vm_start that answers false",
    { proxy_on_vm_start: { answer: 0 }, proxy_on_configure: {} },
    [
      "> proxy_on_vm_start(context=1, bytes=0)",
      "< proxy_on_vm_start = false",
      "refused: proxy_on_vm_start answered false",
    ],
  ),
  refusal(
    "proxy_on_configure that answers false, with what the guest has logged",
    { proxy_on_configure: { calls: [["proxy_log", 4, text("no key")]], answer: 0 } },
    [
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = false",
      "refused: proxy_on_configure answered false; it logged: no key",
    ],
  ),
]);
