import { Type } from "@sinclair/typebox";
import { LIMITS } from "../base/limits.ts";
import { DEFAULTS } from "./defaults.ts";
import { formatDuration, formatSize } from "./units.ts";
import { type DecodedOf, Duration, Size, closed, kept, oneOf } from "./vocabulary.ts";

/** The words of one entry of `wasm.plugins`. */
const { sandbox } = DEFAULTS;
const PAGE = LIMITS.pageBytes;

const NAME = "[A-Za-z0-9][A-Za-z0-9._-]*";
const NAME_EXPECTED = 'a name of letters, digits, ".", "_" and "-", at most 64 long';

function Name(description: string) {
  const notes = { expected: NAME_EXPECTED };
  return Type.String({ pattern: `^${NAME}$`, maxLength: 64, description, notes });
}

const LimitsSchema = closed(
  {
    memory: Type.Optional(
      Size({
        description: "Memory of one guest, in whole pages of 64 KiB; growing beyond it fails",
        default: formatSize(sandbox.limits.memoryPages * PAGE),
        minimum: PAGE,
        maximum: LIMITS.guestPagesMax * PAGE,
      }),
    ),
    recycle: Type.Optional(
      Size({
        description:
          "A guest whose memory has grown beyond this is replaced; at most `memory`, of which " +
          "three quarters are the default",
        default: formatSize(sandbox.limits.recyclePages * PAGE),
        minimum: PAGE,
        maximum: LIMITS.guestPagesMax * PAGE,
      }),
    ),
    deadline: Type.Optional(
      Duration({
        description: "How long one callback may take, on the clock",
        default: formatDuration(sandbox.limits.deadlineMs),
        minimum: LIMITS.guestDeadlineMsMin,
        maximum: LIMITS.guestDeadlineMsMax,
      }),
    ),
    total: Type.Optional(
      Duration({
        description: "How long all callbacks of one exchange may take together; 0: no bound",
        default: formatDuration(sandbox.limits.totalMs),
        minimum: 0,
        maximum: LIMITS.guestTotalMsMax,
      }),
    ),
    fuel: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.guestFuelMax,
        default: sandbox.limits.fuel,
        description: "Instructions, weighted, that one callback may take; 0: they are not counted",
      }),
    ),
    start: Type.Optional(
      Duration({
        description:
          "How long each step of a start may take: start section, _initialize or _start, " +
          "vm_start, configure",
        default: formatDuration(sandbox.limits.startMs),
        minimum: LIMITS.guestStartMsMin,
        maximum: LIMITS.guestStartMsMax,
      }),
    ),
  },
  { description: "Bounds of what the plugin's guests may cost, each by itself" },
);

const PoolSchema = closed(
  {
    size: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.poolSandboxesMax,
        default: sandbox.pool.size,
        description: "Sandboxes at most",
      }),
    ),
    warm: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.poolSandboxesMax,
        default: sandbox.pool.warm,
        description: "Sandboxes that are made before the first exchange; at most `size`",
      }),
    ),
    queue: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.poolWaitingMax,
        default: sandbox.pool.queue,
        description: "Exchanges that may wait for a sandbox; one more is a failure of the filter",
      }),
    ),
    wait: Type.Optional(
      Duration({
        description: "How long an exchange waits for one",
        default: formatDuration(sandbox.pool.waitMs),
        minimum: 0,
        maximum: LIMITS.poolWaitMsMax,
      }),
    ),
  },
  { description: "The sandboxes of one worker; only with `instances: per_request`" },
);

const BreakerSchema = closed(
  {
    failures: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.breakerFailuresMax,
        default: sandbox.breaker.failures,
        description: "Failures within `window` after which no guest is tried; 0: no breaker",
      }),
    ),
    window: Type.Optional(
      Duration({
        description: "How long a failure counts",
        default: formatDuration(sandbox.breaker.windowMs),
        minimum: LIMITS.breakerMsMin,
        maximum: LIMITS.breakerMsMax,
      }),
    ),
    open: Type.Optional(
      Duration({
        description: "How long no guest is tried; then one exchange finds out how it goes",
        default: formatDuration(sandbox.breaker.openMs),
        minimum: LIMITS.breakerMsMin,
        maximum: LIMITS.breakerMsMax,
      }),
    ),
  },
  { description: "What happens when the plugin keeps failing" },
);

/** What is exactly wrong with one is said by allow.ts, which knows the upstreams. */
const CallTarget = Type.Union(
  [Type.String({ minLength: 1, maxLength: 261 }), Type.Integer({ minimum: 0 })],
  {
    description: "Id of an upstream, or host:port",
    notes: { expected: "the id of an upstream, or a pattern of host:port" },
  },
);

const AllowSchema = closed(
  {
    http_call: Type.Optional(
      Type.Array(CallTarget, {
        description:
          "Where the module may send requests, of HTTP and of gRPC: ids of upstreams, and " +
          'patterns of addresses that are no upstreams: "10.1.2.3:8080", ' +
          '"*.internal.example:443", "auth.example:*"',
      }),
    ),
    env: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Environment that the module sees; never the gateway's own",
      }),
    ),
    shared_data: Type.Optional(
      Name(
        "The namespace of its shared data and queues: another plugin's name, or a word that " +
          "several plugins agree on; absent: its own name",
      ),
    ),
    queues: Type.Optional(
      Type.Array(Name("A namespace"), {
        description: "Other namespaces whose shared queues the module may find",
      }),
    ),
    properties: Type.Optional(
      Type.Array(
        Type.String({
          pattern: String.raw`^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\.\*)?$`,
          maxLength: 256,
          notes: { expected: 'a property such as gateway.version, or "gateway.*" for all below' },
        }),
        {
          description:
            "Properties of the gateway that the module may read, by name or as `gateway.*`; " +
            "those of its own exchange need no grant",
        },
      ),
    ),
  },
  { description: "What the module may do besides looking at its exchange; absent: nothing" },
);

export const PluginSchema = closed(
  {
    name: Name("The name that routes use"),
    file: Type.Optional(
      Type.String({
        minLength: 1,
        description: "The module, relative to this file; absent: NAME.wasm in plugins_dir",
      }),
    ),
    sha256: Type.Optional(
      Type.String({
        pattern: "^[0-9a-fA-F]{64}$",
        description: "The module is refused when its SHA-256 is another one",
        notes: { expected: "a SHA-256 as 64 hexadecimal digits" },
      }),
    ),
    abi: Type.Optional(
      oneOf(["auto", "proxy-wasm", "http-wasm"], {
        description: "The interface that the module is written for; auto: found in the module",
        default: "auto",
      }),
    ),
    root_id: Type.Optional(
      Type.String({ default: "", description: "Which root context of the module to use" }),
    ),
    vm_config: Type.Optional(
      kept(
        Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.String()], {
          description: "What the module reads when it starts: a mapping (as JSON) or text",
          notes: { expected: "a mapping or text" },
        }),
      ),
    ),
    instances: Type.Optional(
      oneOf(["shared", "per_request"], {
        description:
          "Whom a guest serves: all exchanges of a worker, one after the other and at once " +
          "(shared), or one exchange from a clean state (per_request)",
        default: sandbox.instances,
      }),
    ),
    limits: Type.Optional(LimitsSchema),
    pool: Type.Optional(PoolSchema),
    seed: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          "An exported function without parameters and results that is called in each clean " +
          "sandbox before its exchange, to draw random seeds anew; only with " +
          "`instances: per_request`",
      }),
    ),
    fail: Type.Optional(
      oneOf(["closed", "open"], {
        description:
          "What a failed filter means: the exchange ends with 503 (closed), or goes on " +
          "without it (open)",
        default: "closed",
      }),
    ),
    pause: Type.Optional(
      oneOf(["all", "stream"], {
        description:
          "What Pause in a headers callback means: the whole message waits (all), or its headers " +
          "wait while the filter gets the body, and go with what that callback lets go (stream)",
        default: sandbox.pause,
      }),
    ),
    route_cache: Type.Optional(
      oneOf(["clear", "retain"], {
        description:
          "When the module changes the request's headers: the route is chosen again before the " +
          "request is forwarded (clear), or stays (retain)",
        default: sandbox.routeCache,
      }),
    ),
    tick: Type.Optional(
      oneOf(["all", "leader"], {
        description:
          "Where the module's ticks come: on every worker (all), or on one worker at a time, " +
          "another one when that ends (leader)",
        default: "all",
      }),
    ),
    breaker: Type.Optional(BreakerSchema),
    allow: Type.Optional(AllowSchema),
  },
  {
    description: "A plugin that needs more than a file in plugins_dir",
    notes: { noun: "plugin", planned: ["http_request_phase", "priority", "url"] },
  },
);

export type RawPlugin = DecodedOf<typeof PluginSchema>;
